"""The table of `default_candidates.py`: what each candidate comes to on cohorts of a kind."""

from __future__ import annotations

from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

from markdown_tables import percent, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What candidates are held apart by, in this order: a default is chosen for each.
GROUPS = {
    "class": "a whole class",
    "device": "a device",
    "part_of_class": "part of a class, patients",
    "patients": "part of a class, patients",
    "labels": "wrong labels",
}
MEASURES = {"forget_train": "forget", "forget_validation": "validation", "remain_validation": "remain"}


def candidates(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a row for each candidate and group of cohorts: the geometric mean over cohorts of each distance.

    Of forget training images the largest is given as well: a default must not fail where another cohort is forgotten.

    Args:
        documents: The results, one for each cohort.
    """
    budgets = sorted({row["budget"] for one in documents for row in one["rows"]})
    heads = ["cohorts", "candidate"]
    heads += [f"{percent(budget, 0)} %: {name}" for budget in budgets for name in (*MEASURES.values(), "worst")]
    cells = []
    for group, chosen in _groups(documents).items():
        for name in dict.fromkeys(row["candidate"] for one in chosen for row in one["rows"]):
            shown = [cell for budget in budgets for cell in _cells(chosen, name, budget)]
            cells.append([f"{group} ({len(chosen)})", name, *shown])
    return table(heads, cells, numbers=range(2, len(heads)))


def _groups(documents: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {name: [] for name in GROUPS.values()}
    for one in documents:
        found[GROUPS[one["kind"]]].append(one)
    return {name: chosen for name, chosen in found.items() if chosen}


def _cells(documents: Sequence[Mapping[str, Any]], name: str, budget: float) -> list[str]:
    rows = [row for one in documents for row in one["rows"] if (row["candidate"], row["budget"]) == (name, budget)]
    means = [f"{geometric_mean(row[measure] for row in rows):.2f}" for measure in MEASURES]
    return [*means, f"{max(row['forget_train'] for row in rows):.2f}"]
