"""The tables of `psg_quality.py`: cells summed up over seeds, and what people read."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def summary(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each network's accuracies after recalibration, their gaps to the retrained mean, and costs, by seed."""
    retrained = {
        part: statistics.mean(cell["retrained"]["recalibrated"][part] for cell in cells)
        for part in ("forget", "remain")
    }
    found: dict[str, Any] = {"seeds": [cell["seed"] for cell in cells]}
    names = {
        key for cell in cells for key, value in cell.items() if isinstance(value, dict) and "recalibrated" in value
    }
    for name in sorted(names, key=place):
        having = [cell[name] for cell in cells if name in cell]
        row: dict[str, Any] = {
            part: [round(one["recalibrated"][part], 2) for one in having] for part in ("forget", "remain")
        }
        row["as_is"] = [[round(one["as_is"][part], 2) for part in ("forget", "remain")] for one in having]
        row["sum_of_gaps"] = round(
            statistics.mean(
                abs(one["recalibrated"][part] - retrained[part]) for one in having for part in ("forget", "remain")
            )
            * 2,
            2,
        )
        if "gradients" in having[0]:
            costs = [cell["retrained"] for cell in cells if name in cell]
            shares = [one["gradients"] / cost["gradients"] for one, cost in zip(having, costs, strict=True)]
            row["gradients_of_retraining"] = round(statistics.median(shares), 4)
            if all("processor_seconds" in one for one in [*having, *costs]):
                # What other programs do to the clock they do less to the time that the processor gave this one.
                row["processor_time_of_retraining"] = round(
                    statistics.median(
                        one["processor_seconds"] / cost["processor_seconds"]
                        for one, cost in zip(having, costs, strict=True)
                    ),
                    4,
                )
        found[name] = row
    return found


def place(name: str) -> tuple[int, bool, float, str]:
    """Return where a row stands: what there is to compare with, then the curves by remain images and budget."""
    first = ("original", "retrained", "batchnorm_only", "boundary_shrink")
    if name in first:
        return first.index(name), False, 0.0, name
    _, share, kept, *_ = name.split()
    return len(first), kept == "few", float(share.rstrip("%")), name.replace("psg", "a")


def curve(classes: dict[str, Any], *, budgets: Sequence[float], rates: Sequence[float], few: float) -> list[str]:
    """Return the sums of gaps by budget, mean over classes: what PSG and fine-tuning are compared by.

    Args:
        classes: The summary of each class.
        budgets: Shares of retraining's gradients.
        rates: Those that fine-tuning was run with.
        few: The share of the remain images in rows called few.
    """
    heads = ["sum of gaps, mean over classes", "PSG", *(f"fine-tuning, rate {rate:.2f}" for rate in rates)]
    lines = [f"| {' | '.join([*heads, 'its better rate each time'])} |"]
    lines.append("| --- |" + " ---: |" * 4)
    for kept in ("all", "few"):
        having = [rows for rows in classes.values() if f"psg 10% {kept}" in rows]
        for budget in budgets if having else ():
            ways = [
                f"psg {budget:.0%} {kept}",
                *(f"finetune {budget:.0%} {kept} rate {rate:.2f}" for rate in rates),
            ]
            gaps = [[rows[way]["sum_of_gaps"] for rows in having] for way in ways]
            best = [min(pair) for pair in zip(*gaps[1:], strict=True)]
            images = "all remain images" if kept == "all" else f"{few:.0%} of them, {len(having)} class(es)"
            cells = " | ".join(f"{statistics.mean(column):.2f}" for column in [*gaps, best])
            lines.append(f"| {budget:.0%} of the gradients, {images} | {cells} |")
    return [*lines, ""]


def to_markdown(document: dict[str, Any], curves: Callable[[dict[str, Any]], list[str]]) -> str:
    """Return a table a class: means over seeds after recalibration, in percent, and costs as shares of retraining."""
    lines = [f"# PSG beside its rivals: {document['facts']['date']}", ""]
    lines += [
        "Made by `benchmarks/psg_quality.py`. Test accuracy in %, BatchNorm statistics estimated anew on remain",
        "",
    ]
    lines[-1:] = [
        "images, mean over seeds (lowest to highest); the sum of gaps is to the mean of the retrained networks.",
        "",
    ]
    for task, body in document["tasks"].items():
        lines += [f"## {task}: {body['scaled']}", "", *curves(body["classes"])]
        for wanted, rows in body["classes"].items():
            lines += [f"Forget {wanted}, {len(rows['seeds'])} seed(s):", ""]
            lines += ["| network | forget | remain | sum of gaps | gradients | processor time |"]
            lines += ["| --- |" + " ---: |" * 5]
            lines += [line(name, row) for name, row in rows.items() if name != "seeds"]
            lines.append("")
    return "\n".join(lines)


def line(name: str, row: dict[str, Any]) -> str:
    parts = [
        f"{statistics.mean(row[part]):.1f} ({min(row[part]):.1f}–{max(row[part]):.1f})" for part in ("forget", "remain")
    ]
    share = row.get("gradients_of_retraining")
    time_share = row.get("processor_time_of_retraining")
    cost = ["" if value is None else f"{100 * value:.1f} %" for value in (share, time_share)]
    return f"| {' | '.join([name, *parts, str(row['sum_of_gaps']), *cost])} |"
