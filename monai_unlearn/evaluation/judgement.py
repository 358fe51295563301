"""Judge a metric on some images: is the revised network better, worse, or like the reference?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from monai_unlearn.evaluation.metrics import Metric

Goal = Literal["higher_is_better", "lower_is_better", "match_reference"]
Difference = Mapping[str, Any]

VERDICTS = (
    "improved",
    "unchanged",
    "degraded",
    "matches_reference",
    "above_reference",
    "below_reference",
    "undecided",
    "no_reference",
    "no_interval",
    "no_images",
)


def goal(metric: Metric, *, part: str, objective: str) -> Goal:
    """Return which way a metric should go on a part: to erase is to predict the forget part badly."""
    if part == "remain":
        return metric.direction
    if objective == "match_reference":
        return "match_reference"
    return "lower_is_better" if metric.direction == "higher_is_better" else "higher_is_better"


def verdict(metric: Metric, goal: Goal, *, n: int, change: Difference, gap: Difference | None) -> str:
    """Judge a metric on some images; one of `VERDICTS`.

    Args:
        metric: The metric.
        goal: Which way it should go, see `goal`.
        n: How many images were measured.
        change: `{"value", "interval"}` of revised − original.
        gap: The same of revised − reference; None if there is no reference.
    """
    if not n:
        return "no_images"
    if goal == "match_reference":
        if gap is None:
            return "no_reference"
        return _word(metric, gap, ("below_reference", "matches_reference", "above_reference"))
    words = ("degraded", "unchanged", "improved")
    return _word(metric, change, words if goal == "higher_is_better" else words[::-1])


def _word(metric: Metric, difference: Difference, words: tuple[str, str, str]) -> str:
    """Choose below, same or above by whether the interval of a difference excludes zero.

    An interval that includes zero does not show sameness: for that it must also lie within the metric's margin.
    """
    if difference["interval"] is None:
        return "no_interval"
    low, high = difference["interval"]
    if low > 0:
        return words[2]
    if high < 0:
        return words[0]
    return words[1] if max(-low, high) <= metric.margin else "undecided"
