"""Rows of `method_comparison.py` with their further runs of `method_seeds.py`, and the means over them."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def place_of(row: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the original and the budget of a row."""
    return row["original"], row["budget"]


def value_of(row: Mapping[str, Any], name: str) -> float | None:
    """Return a measure of one run; None where it has none."""
    found = row.get(name)
    value: float | None = found["value"] if isinstance(found, dict) else found
    return value


def joined(compared: Iterable[Mapping[str, Any]], seeded: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the results of the comparison with all runs of each row, as its `runs`, itself first.

    Args:
        compared: The results of the final stage, one for each cohort.
        seeded: Those of `method_seeds.py`.

    Raises:
        ValueError: A further run has other settings than its row: the comparison was run again since.
    """
    further: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for one in seeded:
        for row in one["rows"]:
            further.setdefault((one["title"], *place_of(row), row["method"]), []).append(row)
    return [
        {
            **one,
            "rows": [
                {**row, "runs": _alike([row, *further.get((one["title"], *place_of(row), row["method"]), ())])}
                for row in one["rows"]
            ],
        }
        for one in compared
    ]


def _alike(runs: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    if any(run["settings"] != runs[0]["settings"] for run in runs[1:]):
        raise ValueError(f"{runs[0]['method']}: the further runs have other settings. Run method_seeds.py again.")
    return runs


def values_of(row: Mapping[str, Any], name: str) -> list[float]:
    """Return a measure of each run of a row that has it; of a row that was not joined, its own."""
    found = (value_of(run, name) for run in row.get("runs", (row,)))
    return [value for value in found if value is not None]


def mean_of(row: Mapping[str, Any], name: str) -> float | None:
    """Return the mean of a measure over the runs of a row; None unless all have it."""
    found = values_of(row, name)
    return fmean(found) if len(found) == len(row.get("runs", (row,))) else None


def verdicts_of(row: Mapping[str, Any]) -> list[str]:
    """Return the verdicts of the runs of a row, each once."""
    return list(dict.fromkeys(run["verdict"] for run in row.get("runs", (row,))))
