"""The tables of `cohort_verdicts.py`: every network of a case by class, and the verdicts."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from markdown_tables import percent, table, with_range

if TYPE_CHECKING:
    from collections.abc import Sequence

Case = dict[str, Any]
Counts = dict[str, dict[str, list[int]]]

SUBSETS = ("forget_train", "forget_test", "remain_test")
METHODS = {
    "psg": "PSG",
    "reset": "reset",
    "finetune": "fine-tuning on remain",
    "boundary_shrink": "boundary_shrink",
}


def share(counts: Counts, subset: str, label: str = "") -> float | None:
    """Return the percentage of images classified correctly, of a class or of all; None where there are none."""
    images, correct = counts[subset][label]
    return 100 * correct / images if images else None


def shares(networks: Sequence[Counts], subset: str, label: str = "") -> tuple[float, ...]:
    """Return that percentage of each network."""
    return tuple(found for one in networks if (found := share(one, subset, label)) is not None)


def shown(values: Sequence[float]) -> str:
    """Return a percentage, or the mean of several with the lowest and the highest."""
    return with_range(values) if len(values) > 1 else f"{statistics.mean(values):.1f}"


def verdict(runs: Sequence[dict[str, Any]]) -> str:
    """Return the verdict of a method in words; several where its seeds differ."""
    return ", ".join(f"`{word}`" for word in dict.fromkeys(run["verdict"] for run in runs))


def by_class(case: Case) -> list[str]:
    """Return what each network classifies correctly, by subset and class, with the verdicts in the last row."""
    columns = {
        "original": [case["original"]],
        "retrained": case["retrained"],
        **{METHODS[name]: [run["revised"] for run in runs] for name, runs in case["runs"].items()},
    }
    rows = [
        [f"{subset.replace('_', ' ')}, {label}", case["original"][subset][label][0]]
        + [shown(shares(networks, subset, label)) for networks in columns.values()]
        for subset in SUBSETS
        for label in case["classes"]
        if case["original"][subset][label][0]
    ]
    runs = case["runs"].values()
    rows.append(["gradients, share of retraining", "", "", "", *(f"{percent(_cost(one))} %" for one in runs)])
    rows.append(["verdict", "", "", "", *map(verdict, runs)])
    heads = ["classified correctly in %", "images", *columns]
    return table(heads, rows, numbers=range(1, len(heads)))


def _cost(runs: Sequence[dict[str, Any]]) -> float:
    return statistics.mean(run["share_of_retraining"] for run in runs)


def page(case: Case) -> str:
    """Return the page of a case: how it was measured, the networks by class, and why each verdict came out."""
    about = case["facts"]
    machine = about["machine"].get("accelerator") or about["machine"]["processor"]
    counts = "; ".join(f"{part}: {case['images'][part]:,} images" for part in ("forget", "remain"))
    made = (
        f"Made by `benchmarks/cohort_verdicts.py` on {about['date']} at commit {about['commit']}, {machine}. "
        f"Bundle `{case['bundle']}`, cohort `{case['spec']}`: {counts}. Three retrained networks; of several seeds the "
        "mean (lowest–highest). The verdict rests on mean probabilities by class and their intervals "
        "(`docs/verdict.md`), not on the shares shown here."
    )
    lines = [f"# {case['title']}", "", made, "", *by_class(case), ""]
    for name, runs in case["runs"].items():
        first = runs[0]
        lines += [f"**{METHODS[name]}**: {first['line']}", "", *_first(first["why"]), ""]
        lines += ["It needs, among others:", "", *_first(first["needs"]), ""] if first["needs"] else []
    return "\n".join(lines)


def _first(sentences: Sequence[str]) -> list[str]:
    """Return the first sentences as a list; all of them are in the result."""
    return [f"- {one}" for one in sentences[:3]]
