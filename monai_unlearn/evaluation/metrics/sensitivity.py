"""The sensitivity: of the images of a disease, the share not called healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.intervals import newcombe, wilson
from monai_unlearn.evaluation.metrics.metric import Estimate, Interval, Metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions


def sensitivity(predictions: Predictions) -> float | None:
    """Return 1 − false negatives, in [0, 1]: the share of diseased images classified as any disease.

    None where no class is declared healthy, or no image is of a disease. Of one class of disease, it is the share of
    its images that are not missed, though they may be taken for another disease.
    """
    detected, n = _count(predictions)
    return detected / n if n else None


def interval(predictions: Predictions) -> Interval | None:
    """Return the Wilson interval of a sensitivity."""
    return wilson(*_count(predictions))


def difference(a: Predictions, b: Predictions) -> Estimate | None:
    """Return the sensitivity of b minus that of a, with Newcombe's interval for independent samples."""
    before, after = sensitivity(a), sensitivity(b)
    if before is None or after is None:
        return None
    return Estimate(value=after - before, interval=newcombe(_count(a), _count(b)))


def _count(predictions: Predictions) -> tuple[int, int]:
    """Return how many diseased images are not called healthy, and how many there are."""
    if not predictions.healthy:
        return 0, 0
    diseased = ~predictions.is_healthy
    return int((diseased & ~predictions.called_healthy).sum()), int(diseased.sum())


SENSITIVITY = Metric(
    name="sensitivity",
    description="the share of images of a disease that are not called healthy, in percent; higher is better",
    direction="higher_is_better",
    range=(0.0, 1.0),
    value=sensitivity,
    interval=interval,
    difference=difference,
    percent=True,
)
