"""Prints the result of a run as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from monai_unlearn.card.wording import QUIET, choice, judged, measure, share, words
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
    "revised_as_trained": "after, as trained",
    "reference": "reference",
}


def print_result(evidence: Mapping[str, Any], target: Path) -> None:
    """Print accuracies, what was judged, the method and who chose it, why, where the card is, and the verdict's line.

    What would decide is in the message of a run whose verdict does not promote (`why_not_accepted`).
    """
    console = escaping_console(highlight=False)
    console.print(accuracy_report("Accuracy in %, 95 % interval", evidence["models"]))
    console.print(_judged(evidence))
    console.print(f"Method: {choice(evidence['method'])}.", soft_wrap=True)
    console.print(cost_line(evidence["cost"]))
    for warning in evidence["warnings"]:
        console.print(f"Note: {warning}")
    for reason in evidence["why"]:
        console.print(f"  - {reason}")
    console.print(f"Model-card difference: {RunFolder(target).evidence / 'model_card_diff.md'}", soft_wrap=True)
    console.print(evidence["decision"]["line"], soft_wrap=True)


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
    also = " with the revisions that it composes" if "parents" in cost else ""
    line = f"Cost: this run{also} {_cost(cost['this_run'], cost['share_of_retraining_gradients'])}"
    if cost["proxies"]:
        line += f"; with the proxies of its predictors, {_cost(cost['with_predictor'], cost['share_with_predictor'])}"
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


def _judged(evidence: Mapping[str, Any]) -> Table:
    """Return what was declared to be judged, and of the guards those that object."""
    table = Table(title="Judged: the revised network beside its target, shares in %")
    for heading in ("subset, class", "measure"):
        table.add_column(heading)
    for heading in ("revised", "target", "difference, 90 % interval", "margin", "patients"):
        table.add_column(heading, justify="right")
    table.add_column("found")
    for row in evidence["decision"]["endpoints"]:
        if not row["guard"] or row["status"] not in QUIET:
            table.add_row(
                f"{words(row['subset'])}, {row['class']}",
                measure(row),
                share(row["revised"]),
                share(row["target"]),
                judged(row),
                f"{100 * row['margin']:g}",
                f"{row['G']:,}",
                f"{words(row['status'])}{', guard' if row['guard'] else ''}",
            )
    return table
