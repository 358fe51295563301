"""The balanced accuracy: the mean over classes of the share classified correctly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.intervals import newcombe, wilson
from monai_unlearn.evaluation.metrics.metric import Estimate, Interval, Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.evaluation.predictions import Predictions


def balanced_accuracy(predictions: Predictions) -> float:
    """Return the mean recall of the classes that the images have, in [0, 1]; rare classes count as much as common ones.

    Brodersen et al. 2010 (ICPR, 3121) for two classes; the macro-averaged recall for more.
    """
    counts = _counts(predictions)
    return sum(correct / n for correct, n in counts) / len(counts)


def interval(predictions: Predictions) -> Interval | None:
    """Return an interval built from the Wilson intervals of the recalls, see `_combined`."""
    counts = _counts(predictions)
    shares = [correct / n for correct, n in counts]
    return _combined(shares, [wilson(*count) for count in counts], dependent=predictions.tasks > 1)


def difference(a: Predictions, b: Predictions) -> Estimate:
    """Return the balanced accuracy of b minus that of a, from Newcombe's intervals of the recalls' differences."""
    pairs = list(zip(_counts(a), _counts(b), strict=True))
    changes = [after[0] / after[1] - before[0] / before[1] for before, after in pairs]
    around = _combined(changes, [newcombe(*pair) for pair in pairs], dependent=a.tasks > 1)
    return Estimate(value=sum(changes) / len(changes), interval=around)


def _combined(values: Sequence[float], intervals: Sequence[Interval | None], *, dependent: bool) -> Interval | None:
    """Return the interval of a mean of values from theirs.

    Zou and Donner 2008, Statistics in Medicine 27:1693: distances from independent values add up as variances do. Those
    from decisions on the same images, of several labels, are added as they are, which errs on the side of doubt.
    """
    known = [one for one in intervals if one is not None]
    if len(known) < len(values):
        return None
    n, mean = len(values), sum(values) / len(values)
    power = 1 if dependent else 2
    below = sum((value - low) ** power for value, (low, _) in zip(values, known, strict=True)) ** (1 / power) / n
    above = sum((high - value) ** power for value, (_, high) in zip(values, known, strict=True)) ** (1 / power) / n
    return mean - below, mean + above


def _counts(predictions: Predictions) -> list[tuple[int, int]]:
    """Return of each class that there are images of how many are classified correctly, and how many there are."""
    classes = [predictions.of_class(number) for number in sorted(set(predictions.labels.tolist()))]
    return [(int(one.correct.sum()), len(one)) for one in classes]


BALANCED_ACCURACY = Metric(
    name="balanced_accuracy",
    description="the mean over classes of the share classified correctly, in percent; higher is better",
    direction="higher_is_better",
    range=(0.0, 1.0),
    value=balanced_accuracy,
    interval=interval,
    difference=difference,
    percent=True,
)
