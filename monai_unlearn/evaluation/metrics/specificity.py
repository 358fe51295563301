"""The specificity: of the healthy images, the share called healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.intervals import newcombe, wilson
from monai_unlearn.evaluation.metrics.metric import Estimate, Interval, Metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions


def specificity(predictions: Predictions) -> float | None:
    """Return the share of healthy images classified as a healthy class, in [0, 1]; None where there is none."""
    kept, n = _count(predictions)
    return kept / n if n else None


def interval(predictions: Predictions) -> Interval | None:
    """Return the Wilson interval of a specificity."""
    return wilson(*_count(predictions))


def difference(a: Predictions, b: Predictions) -> Estimate | None:
    """Return the specificity of b minus that of a, with Newcombe's interval for independent samples."""
    before, after = specificity(a), specificity(b)
    if before is None or after is None:
        return None
    return Estimate(value=after - before, interval=newcombe(_count(a), _count(b)))


def _count(predictions: Predictions) -> tuple[int, int]:
    """Return how many healthy images are called healthy, and how many there are."""
    healthy = predictions.is_healthy
    return int((healthy & predictions.called_healthy).sum()), int(healthy.sum())


SPECIFICITY = Metric(
    name="specificity",
    description="the share of healthy images that are called healthy, in percent; higher is better",
    direction="higher_is_better",
    range=(0.0, 1.0),
    value=specificity,
    interval=interval,
    difference=difference,
    percent=True,
)
