"""The false negatives: of the images of a disease, the share called healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.intervals import newcombe, wilson
from monai_unlearn.evaluation.metrics.metric import Estimate, Interval, Metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions


def false_negatives(predictions: Predictions) -> float | None:
    """Return 1 − sensitivity, in [0, 1]: the share of diseased images that are missed.

    None where no class is declared healthy, or no image is of a disease. Of one class of disease, it is the share of
    its images that are called healthy; one that is taken for another disease is not missed.
    """
    missed, n = _count(predictions)
    return missed / n if n else None


def interval(predictions: Predictions) -> Interval | None:
    """Return the Wilson interval of a share of false negatives."""
    return wilson(*_count(predictions))


def difference(a: Predictions, b: Predictions) -> Estimate | None:
    """Return the false negatives of b minus those of a, with Newcombe's interval for independent samples."""
    before, after = false_negatives(a), false_negatives(b)
    if before is None or after is None:
        return None
    return Estimate(value=after - before, interval=newcombe(_count(a), _count(b)))


def _count(predictions: Predictions) -> tuple[int, int]:
    """Return how many diseased images are called healthy, and how many diseased images there are."""
    if not predictions.healthy:
        return 0, 0
    diseased = ~predictions.is_healthy
    return int((diseased & predictions.called_healthy).sum()), int(diseased.sum())


FALSE_NEGATIVES = Metric(
    name="false_negatives",
    description="the share of images of a disease that are called healthy, in percent; lower is better",
    direction="lower_is_better",
    range=(0.0, 1.0),
    value=false_negatives,
    interval=interval,
    difference=difference,
    percent=True,
)
