"""Comparisons in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.comparison import MEMBERSHIP
from monai_unlearn.evaluation.decision.endpoint import ALL, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.evaluation.decision.comparison import Comparison

# The verdict is read by people: the largest differences are named, the table has all.
NAMED = 6
LIMIT = "limit"
"""In place of a target, where a share is judged by itself."""


def place(one: Comparison) -> str:
    """Return where a comparison was made: `forget train, class A`."""
    return words(one.subset) if one.label == ALL else f"{words(one.subset)}, class {one.label}"


def measured(one: Comparison) -> str:
    """Return what was measured, in words."""
    return {
        "mean_probability": f"mean probability of {one.predicted or 'the true class'}",
        "sensitivity": "share classified correctly",
        "macro_sensitivity": "mean sensitivity of the classes",
        "false_negatives": "share called healthy",
        MEMBERSHIP: "AUC against never-trained images",
    }[one.measure]


def difference(one: Comparison, target: str) -> str:
    """Return a comparison with its figures, as a sentence.

    Args:
        one: A comparison that could be judged.
        target: What it is compared with: `retrained networks`, `the original`, or `LIMIT`.
    """
    if target == LIMIT:
        return (
            f"{place(one)}: {measured(one)} {_percent(one.value)} (90 % interval {_percent(one.low)} to "
            f"{_percent(one.high)}, limit {100 * one.margin:g} %, {one.patients} patients)."
        )
    return (
        f"{place(one)}: {measured(one)} {_percent(one.value)}, {target} {_percent(one.target)}; difference "
        f"{points(one.difference)} points (90 % interval {points(one.low)} to {points(one.high)}, margin "
        f"{100 * one.margin:g}, {one.patients} patients)."
    )


def named(comparisons: Sequence[Comparison], target: str) -> list[str]:
    """Return the sentences of the comparisons with the largest gaps, and how many more there are."""
    worst = sorted(comparisons, key=lambda one: (-one.gap, place(one), one.predicted or ""))
    said = [difference(one, target) for one in worst[:NAMED]]
    more = len(worst) - NAMED
    return [*said, f"And {more} more of the endpoints."] if more > 0 else said


def points(share: float) -> str:
    """Return a difference of shares in points, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "−")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
