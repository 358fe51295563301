"""Prints the result of a run as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from monai_unlearn.terminal import escaping_console
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAMES = {
    "original": "before",
    "original_recalibrated": "before, recalibrated",
    "revised": "after",
    "revised_recalibrated": "after, recalibrated",
    "reference": "reference",
}


def print_result(evidence: Mapping[str, Any], target: Path) -> None:
    """Print accuracy by model, part and split, the verdicts, the recommendation, and where the card is."""
    console = escaping_console(highlight=False)
    console.print(accuracy_report("Accuracy in %, 95 % interval", evidence["models"]))
    console.print(_criteria(evidence))
    console.print(cost_line(evidence["cost"]))
    word = {True: "yes", False: "nothing measured suggests it", None: "unknown"}
    console.print(f"Would retraining have been better? {word[evidence['recommendation']['retrain']]}")
    for reason in evidence["recommendation"]["reasons"]:
        console.print(f"  - {reason}")
    for warning in evidence["warnings"]:
        console.print(f"Note: {warning}")
    console.print(f"Model-card difference: {RunFolder(target).evidence / 'model_card_diff.md'}", soft_wrap=True)


def accuracy_report(title: str, models: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a table with one row for each model and one column for each (part, split)."""
    subsets = [(part, split) for part, splits in next(iter(models.values())).items() for split in splits]
    first = next(iter(models.values()))
    table = Table(title=title)
    table.add_column("model")
    for part, split in subsets:
        table.add_column(f"{part} {split}\nn={first[part][split]['n']}", justify="right")
    for name, parts in models.items():
        table.add_row(_NAMES.get(name, name), *(percent(parts[part][split]) for part, split in subsets))
    return table


def cost_line(cost: Mapping[str, Any]) -> str:
    """Return what a run cost, and what it cost with its references, in gradient evaluations and of retraining once."""
    line = f"Cost: this run {_cost(cost['this_run'], cost['share_of_retraining_gradients'])}"
    if not cost["references"]:
        return f"{line}; no reference was trained."
    in_all = _cost(cost["with_references"], cost["share_with_references"])
    return f"{line}; with its references, {cost['references']} in number, {in_all}."


def _cost(measured: Mapping[str, Any], share: float | None) -> str:
    if measured["gradient_evaluations"] is None:
        return "unknown"
    of = "" if share is None else f" ({share:.0%} of retraining once)"
    return f"{measured['gradient_evaluations']:,} gradient evaluations{of}"


def percent(subset: Mapping[str, Any]) -> str:
    """Format accuracy and interval of a subset: `87.5 (80–92)`."""
    if subset["accuracy"] is None:
        return "–"
    low, high = subset["interval"]
    return f"{100 * subset['accuracy']:.1f} ({100 * low:.0f}–{100 * high:.0f})"


def _criteria(evidence: Mapping[str, Any]) -> Table:
    table = Table(title="Accepted" if evidence["accepted"] else "NOT ACCEPTED: nothing is promoted")
    for heading in ("criterion", "limit", "value", "verdict"):
        table.add_column(heading)
    for row in evidence["criteria"]:
        limits = [f"≥ {row['min']}"] * (row["min"] is not None) + [f"≤ {row['max']}"] * (row["max"] is not None)
        value = "–" if row["value"] is None else f"{row['value']:.3f}"
        table.add_row(row["measure"], ", ".join(limits), value, row["verdict"].replace("_", " "))
    return table
