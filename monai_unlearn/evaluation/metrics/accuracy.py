"""The share of images classified correctly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.intervals import newcombe, wilson
from monai_unlearn.evaluation.metrics.metric import Estimate, Interval, Metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions


def accuracy(predictions: Predictions) -> float:
    """Return the share of images classified correctly, in [0, 1]."""
    correct, n = _count(predictions)
    return correct / n


def interval(predictions: Predictions) -> Interval | None:
    """Return the Wilson interval of an accuracy."""
    return wilson(*_count(predictions))


def difference(a: Predictions, b: Predictions) -> Estimate:
    """Return the accuracy of b minus that of a, in [−1, 1], with Newcombe's interval.

    The two networks see the same images, but their agreement is not used: the interval is the wider one for
    independent samples, which errs on the side of doubt.
    """
    return Estimate(value=accuracy(b) - accuracy(a), interval=newcombe(_count(a), _count(b)))


def _count(predictions: Predictions) -> tuple[int, int]:
    return int(predictions.correct.sum()), len(predictions)


ACCURACY = Metric(
    name="accuracy",
    description="the share of images classified correctly, in percent; higher is better",
    direction="higher_is_better",
    range=(0.0, 1.0),
    value=accuracy,
    interval=interval,
    difference=difference,
    percent=True,
    always_has_interval=True,
)
