"""The tables of `psg_quality.py` and `psg_choices.py`: runs summed up over seeds, and the pages for readers."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from markdown_tables import percent, table, with_range

if TYPE_CHECKING:
    from collections.abc import Sequence

BUDGETS = (0.02, 0.05, 0.10, 0.20)
TUNE_RATES = (2 / 3, 1.0)
FEW = 0.05
FIRST = ("original", "retrained", "batchnorm_only", "boundary_shrink")
PARTS = ("forget", "remain")


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each network's accuracies after recalibration, their gaps to the retrained mean, and costs, by seed."""
    retrained = {part: statistics.mean(run["retrained"]["recalibrated"][part] for run in runs) for part in PARTS}
    names = {key for run in runs for key, value in run.items() if isinstance(value, dict) and "recalibrated" in value}
    found: dict[str, Any] = {"seeds": [run["seed"] for run in runs]}
    for name in sorted(names, key=order):
        having = [run for run in runs if name in run]
        found[name] = {**_accuracies([run[name] for run in having], retrained), **_costs(having, name)}
    return found


def _accuracies(networks: list[dict[str, Any]], retrained: dict[str, float]) -> dict[str, Any]:
    gaps = [abs(one["recalibrated"][part] - retrained[part]) for one in networks for part in PARTS]
    return {
        **{part: [round(one["recalibrated"][part], 2) for one in networks] for part in PARTS},
        "as_is": [[round(one["as_is"][part], 2) for part in PARTS] for one in networks],
        "sum_of_gaps": round(statistics.mean(gaps) * 2, 2),
    }


def _costs(runs: list[dict[str, Any]], name: str) -> dict[str, float]:
    """Return median shares of retraining, of gradients and, where every run has it, of processor time."""
    keys = {"gradients": "gradients_of_retraining", "processor_seconds": "processor_time_of_retraining"}
    costs = {}
    for key, share in keys.items():
        if all(key in run[name] and key in run["retrained"] for run in runs):
            shares = [run[name][key] / run["retrained"][key] for run in runs]
            costs[share] = round(statistics.median(shares), 4)
    return costs


def order(name: str) -> tuple[int, bool, float, str]:
    """Return the sort key of a row: what to compare with first, then the curves by remain images and budget."""
    if name in FIRST:
        return FIRST.index(name), False, 0.0, name
    _, share, kept, *_ = name.split()
    return len(FIRST), kept == "few", float(share.rstrip("%")), name.replace("psg", "a")


def ways(budget: float, kept: str) -> list[str]:
    """Return the rows of PSG and of fine-tuning at each rate, at a budget, with all or few remain images."""
    return [f"psg {budget:.0%} {kept}", *(f"finetune {budget:.0%} {kept} rate {rate:.2f}" for rate in TUNE_RATES)]


def sums_of_gaps(classes: dict[str, Any], budget: float, kept: str) -> list[float]:
    """Return the sums of gaps, mean over classes: PSG, fine-tuning at each rate, and at its better rate each time.

    Args:
        classes: The summary of each class.
        budget: A share of retraining's gradients.
        kept: The remain images at hand, `all` or `few`; classes without such runs are left out.
    """
    names = ways(budget, kept)
    gaps = [[rows[name]["sum_of_gaps"] for name in names] for rows in classes.values() if names[0] in rows]
    return [statistics.mean(column) for column in zip(*([*row, min(row[1:])] for row in gaps), strict=True)]


def curve(classes: dict[str, Any]) -> list[str]:
    """Return the table of sums of gaps by budget, which compares PSG with fine-tuning."""
    heads = ["sum of gaps, mean over classes", "PSG", *(f"fine-tuning, rate {rate:.2f}" for rate in TUNE_RATES)]
    cells = []
    for kept in ("all", "few"):
        having = sum(f"psg 10% {kept}" in rows for rows in classes.values())
        images = "all remain images" if kept == "all" else f"{FEW:.0%} of them, {having} class(es)"
        for budget in BUDGETS if having else ():
            gaps = sums_of_gaps(classes, budget, kept)
            cells.append([f"{budget:.0%} of the gradients, {images}", *(f"{gap:.2f}" for gap in gaps)])
    return table([*heads, "its better rate each time"], cells, numbers=range(1, 5))


def quality_page(document: dict[str, Any]) -> str:
    """Return a table for each class: means over seeds after recalibration, and costs as shares of retraining."""
    lines = [
        f"# PSG beside its baselines: {document['facts']['date']}",
        "",
        "Made by `benchmarks/psg_quality.py`. Test accuracy in %, BatchNorm statistics recalibrated on remain",
        "images, mean over seeds (lowest to highest); the sum of gaps is to the mean of the retrained networks.",
        "",
    ]
    heads = ["network", "forget", "remain", "sum of gaps", "gradients", "processor time"]
    for task, body in document["tasks"].items():
        lines += [f"## {task}: {body['scaled']}", "", *curve(body["classes"]), ""]
        for wanted, rows in body["classes"].items():
            cells = [_row(name, row) for name, row in rows.items() if name != "seeds"]
            lines += [f"Forget {wanted}, {len(rows['seeds'])} seed(s):", ""]
            lines += [*table(heads, cells, numbers=range(1, 6)), ""]
    return "\n".join(lines)


def _row(name: str, row: dict[str, Any]) -> list[object]:
    shares = [row.get("gradients_of_retraining"), row.get("processor_time_of_retraining")]
    cost = ["" if share is None else f"{percent(share)} %" for share in shares]
    return [name, with_range(row["forget"]), with_range(row["remain"]), row["sum_of_gaps"], *cost]


def choices_page(document: dict[str, Any]) -> str:
    """Return a table for each task of `psg_choices.py`: one change a row."""
    lines = [
        f"# What each choice in PSG's settings does: {document['facts']['date']}",
        "",
        "Made by `benchmarks/psg_choices.py`: forget / remain test accuracy in % after BatchNorm recalibration, and",
        "the sum of their gaps to the retrained network. One run, one seed: differences of a point or two are noise.",
    ]
    for task, rows in document["tasks"].items():
        aim = rows["retrained"]
        changes = {name: row for name, row in rows.items() if name != "retrained"}
        budgets: Sequence[str] = list(next(iter(changes.values())))
        heads = ["change", *(f"{budget} of retraining's gradients" for budget in budgets)]
        cells = [[name, *(choice(row[budget]) for budget in budgets)] for name, row in changes.items()]
        lines += ["", f"## {task}, forget glioma; retrained {aim['forget']:.1f} / {aim['remain']:.1f}", ""]
        lines += table(heads, cells)
    return "\n".join([*lines, ""])


def choice(values: dict[str, float]) -> str:
    """Return forget / remain accuracy and their sum of gaps, as `psg_choices.py` shows them."""
    return f"{values['forget']:.1f} / {values['remain']:.1f} ({values['sum_of_gaps']:.1f})"
