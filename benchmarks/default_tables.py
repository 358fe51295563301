"""Tables of what a bundle's default reaches: `method_comparison.py`, with the further seeds of `method_seeds.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comparison_tables import DEFAULT, MISSING, number, points
from markdown_tables import percent, table
from seeded_rows import mean_of, place_of, values_of, verdicts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# What is asked of a default: no further than so from the best of all methods, and from retraining.
NEAR_BEST, NEAR_RETRAINED, GAP, REMAIN = 0.1, 1.2, 0.03, 0.015
# Nothing is asked at 5 %, which shows what becomes of it.
ASKED_AT = (0.1, 0.2)
# What has no tuned setting of its own is not among those that a default is held against.
CONTROLS = ("scratch",)
SEEDED = (DEFAULT, "shrink_perturb", "reset", "finetune")
DISTANCE, FORGET, REST = "distance_ratio", "recall_gap_forget_test", "remain_gap"


def seeds(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the distance of each method with more than one seed: the mean, the lowest and the highest.

    Args:
        documents: What `seeded_rows.joined` returns.
    """
    heads = ["cohort", "original", "budget", *(f"`{name}`" for name in SEEDED)]
    cells = []
    for one in documents:
        rows = {(*place_of(row), row["method"]): row for row in one["rows"] if len(row["runs"]) > 1}
        for original, budget in sorted({key[:2] for key in rows}):
            found = (rows.get((original, budget, name)) for name in SEEDED)
            shown = [MISSING if row is None else _spread(row) for row in found]
            cells.append([one["title"], str(original), f"{percent(budget, 0)} %", *shown])
    return table(heads, cells, numbers=range(1, len(heads)))


def _spread(row: Mapping[str, Any]) -> str:
    found = values_of(row, DISTANCE)
    return f"{number(mean_of(row, DISTANCE))} ({number(min(found))}–{number(max(found))})"


def bar(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the default reaches on each cohort, original and budget, beside what is asked of it.

    Args:
        documents: What `seeded_rows.joined` returns; figures are means over the runs of a row.
    """
    heads = ["cohort", "kind", "original", "budget", "runs", "distance", "best of all", "within 0.1", "at most 1.2"]
    heads += ["recall gap", "allowed", "remain", "allowed", "verdict"]
    cells = [cells for one in documents for cells in _reached(one)]
    return table(heads, cells, numbers=(2, 3, 4, 5, 9, 10, 11, 12))


def reached_by_kind(documents: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the default's distance on each cohort, at the budgets in order, by the kind of the cohort.

    Args:
        documents: What `seeded_rows.joined` returns; a distance is the mean over the runs of a row.
    """
    found: dict[str, list[str]] = {}
    for one in documents:
        own = [row for row in _asked(one) if row["method"] == DEFAULT]
        for original in sorted({row["original"] for row in own}):
            rows = sorted((row for row in own if row["original"] == original), key=lambda row: row["budget"])
            name = one["title"] + (f", original {original}" if original else "")
            distances = " / ".join(number(mean_of(row, DISTANCE)) for row in rows)
            found.setdefault(one["kind"], []).append(f"{name}: {distances}")
    return found


def _reached(one: Mapping[str, Any]) -> Iterable[list[str]]:
    finished = _asked(one)
    for original, budget in sorted({place_of(row) for row in finished}):
        rows = {row["method"]: row for row in finished if place_of(row) == (original, budget)}
        own = rows.pop(DEFAULT, None)
        if own is None or (distance := mean_of(own, DISTANCE)) is None:
            continue
        known = {name: mean_of(row, DISTANCE) for name, row in rows.items() if name not in CONTROLS}
        found = {name: value for name, value in known.items() if value is not None}
        # A second original may have met the default alone.
        best = min(found, key=lambda name: found[name]) if found else None
        apart = (own.get(FORGET) or {}).get("retrained") or [0.0]
        gap, allowed = mean_of(own, FORGET), max(apart) + GAP
        remain, least = mean_of(own, REST), -max(REMAIN, _apart(own))
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
            _marked(points(gap), missed=gap is not None and gap > allowed),
            points(allowed),
            _marked(points(remain, signed=True), missed=remain is not None and remain < least),
            f"{MISSING}{points(-least)}",
            ", ".join(verdicts_of(own)).replace("_", " "),
        ]


def _asked(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in one["rows"] if row["status"] == "finished" and row["budget"] in ASKED_AT]


def _apart(row: Mapping[str, Any]) -> float:
    """Return the largest gap between the remain accuracies of two retrained networks."""
    found = [gap for _, gap in row.get("retrained_gaps", ())]
    return max(found) - min(found) if found else 0.0


def _marked(text: str, *, missed: bool) -> str:
    return f"**{text}**" if missed else text


def _yes(is_so: bool) -> str:  # noqa: FBT001 - a cell
    return "yes" if is_so else "**no**"
