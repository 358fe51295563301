"""Tables of what a bundle's default reaches: `method_comparison.py`, with the further seeds of `method_seeds.py`."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from comparison_tables import DEFAULT, MISSING, number, points, value_of
from markdown_tables import percent, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# What is asked of a default: no further than so from the best of all methods, and from retraining.
NEAR_BEST, NEAR_RETRAINED, GAP, REMAIN = 0.1, 1.2, 0.03, 0.015
# What has no tuned setting of its own is not among those that a default is held against.
CONTROLS = ("scratch",)
SEEDED = (DEFAULT, "shrink_perturb", "reset", "finetune")
DISTANCE, FORGET, REST = "distance_ratio", "recall_gap_forget_test", "remain_gap"


def joined(compared: Iterable[Mapping[str, Any]], seeded: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the results of the comparison with all runs of each row, as its `runs`, itself first.

    Args:
        compared: The results of the final stage, one for each cohort.
        seeded: Those of `method_seeds.py`.
    """
    further: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for one in seeded:
        for row in one["rows"]:
            further.setdefault((one["title"], *_place(row), row["method"]), []).append(row)
    return [
        {
            **one,
            "rows": [
                {**row, "runs": [row, *further.get((one["title"], *_place(row), row["method"]), ())]}
                for row in one["rows"]
                if row["status"] == "finished"
            ],
        }
        for one in compared
    ]


def _place(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["original"], row["budget"]


def seeds(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the distance of each method with more than one seed: the mean, the lowest and the highest.

    Args:
        documents: What `joined` returns.
    """
    heads = ["cohort", "original", "budget", *(f"`{name}`" for name in SEEDED)]
    cells = []
    for one in documents:
        rows = {(*_place(row), row["method"]): row for row in one["rows"] if len(row["runs"]) > 1}
        for original, budget in sorted({key[:2] for key in rows}):
            found = (rows.get((original, budget, name)) for name in SEEDED)
            shown = [MISSING if row is None else _spread(row) for row in found]
            cells.append([one["title"], str(original), f"{percent(budget, 0)} %", *shown])
    return table(heads, cells, numbers=range(1, len(heads)))


def _spread(row: Mapping[str, Any]) -> str:
    found = _values(row, DISTANCE)
    return f"{number(fmean(found))} ({number(min(found))}–{number(max(found))})"


def _values(row: Mapping[str, Any], name: str) -> list[float]:
    """Return a measure of each run of a row that has it."""
    found = (run.get(name) if name == REST else value_of(run, name) for run in row["runs"])
    return [value for value in found if value is not None]


def _mean(row: Mapping[str, Any], name: str) -> float | None:
    return fmean(found) if (found := _values(row, name)) else None


def bar(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the default reaches on each cohort, original and budget, beside what is asked of it.

    Args:
        documents: What `joined` returns; figures are means over the runs of a row.
    """
    heads = ["cohort", "kind", "original", "budget", "runs", "distance", "best of all", "within 0.1", "at most 1.2"]
    heads += ["recall gap", "allowed", "remain", "allowed", "verdict"]
    cells = [cells for one in documents for cells in _reached(one)]
    return table(heads, cells, numbers=(2, 3, 4, 5, 9, 10, 11, 12))


def reached_by_kind(documents: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the default's distance on each cohort, at the budgets in order, by the kind of the cohort.

    Args:
        documents: What `joined` returns; a distance is the mean over the runs of a row.
    """
    found: dict[str, list[str]] = {}
    for one in documents:
        own = [row for row in one["rows"] if row["method"] == DEFAULT]
        for original in sorted({row["original"] for row in own}):
            rows = sorted((row for row in own if row["original"] == original), key=lambda row: row["budget"])
            name = one["title"] + (f", original {original}" if original else "")
            distances = " / ".join(number(_mean(row, DISTANCE)) for row in rows)
            found.setdefault(one["kind"], []).append(f"{name}: {distances}")
    return found


def _reached(one: Mapping[str, Any]) -> Iterable[list[str]]:
    for original, budget in sorted({_place(row) for row in one["rows"]}):
        rows = {row["method"]: row for row in one["rows"] if _place(row) == (original, budget)}
        own = rows.pop(DEFAULT, None)
        if own is None or (distance := _mean(own, DISTANCE)) is None:
            continue
        known = {name: _mean(row, DISTANCE) for name, row in rows.items() if name not in CONTROLS}
        found = {name: value for name, value in known.items() if value is not None}
        # A second original may have met the default alone.
        best = min(found, key=lambda name: found[name]) if found else None
        apart = (own.get(FORGET) or {}).get("retrained") or [0.0]
        spread = max((abs(others[1]) for others in own.get("retrained_gaps", ())), default=0.0)
        yield [
            one["title"],
            one["kind"].replace("_", " "),
            str(original),
            f"{percent(budget, 0)} %",
            str(len(own["runs"])),
            number(distance),
            MISSING if best is None else f"{number(found[best])} `{best}`",
            MISSING if best is None else _yes(distance <= found[best] + NEAR_BEST),
            _yes(distance <= NEAR_RETRAINED),
            points(_mean(own, FORGET)),
            points(max(apart) + GAP),
            points(_mean(own, REST), signed=True),
            f"{MISSING}{points(max(REMAIN, spread))}",
            ", ".join(dict.fromkeys(run["verdict"].replace("_", " ") for run in own["runs"])),
        ]


def _yes(is_so: bool) -> str:  # noqa: FBT001 - a cell
    return "yes" if is_so else "**no**"
