"""The area under the ROC curve: how well the probability of a class orders images by whether they are of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, rankdata

from monai_unlearn.evaluation.intervals import CONFIDENCE, ENOUGH_FOR_MEAN
from monai_unlearn.evaluation.metrics.metric import Estimate, Interval, Metric

if TYPE_CHECKING:
    import numpy.typing as npt

    from monai_unlearn.evaluation.predictions import Predictions

    Array = npt.NDArray[np.float64]


def auroc(predictions: Predictions) -> float | None:
    """Return the mean over classes of the area under the curve of each class against the rest, in [0, 1].

    Only classes that some images are of and others are not; None if there is none, as for images of one class. For two
    classes it is the usual area. Ties count half (Hanley and McNeil 1982, Radiology 143:29).
    """
    found = _areas(predictions)
    return None if found is None else float(found[0])


def interval(predictions: Predictions) -> Interval | None:
    """Return DeLong's interval, clipped to [0, 1]; None below 30 images, or where classes are separated."""
    found = _areas(predictions)
    around = None if found is None else _interval(*found)
    return None if around is None else (max(0.0, around[0]), min(1.0, around[1]))


def difference(a: Predictions, b: Predictions) -> Estimate | None:
    """Return the area of b minus that of a, with DeLong's interval of two curves on the same images."""
    before, after = _areas(a), _areas(b)
    if before is None or after is None:
        return None
    value = float(after[0] - before[0])
    return Estimate(value=value, interval=_interval(value, after[1] - before[1]))


def _areas(predictions: Predictions) -> tuple[float, Array] | None:
    """Return the mean area, and what each image adds to its error, shape (image,).

    DeLong et al. 1988, Biometrics 44:837: the variance of an area is the sum of those of the mean placements of
    positive and of negative images, which are sums over images; so is that of a mean of areas on the same images.
    """
    probabilities, labels = predictions.probabilities.numpy(), predictions.labels.numpy()
    # Of several labels, the rest are the images without the label, and not the decisions on other labels.
    task = predictions.task.numpy()
    rows = {number: task == task[labels == number][0] for number in np.unique(labels)}
    present = [number for number, own in rows.items() if (labels[own] != number).any()]
    if not present:
        return None
    areas, added = [], np.zeros(len(labels))
    for number in present:
        own = rows[number]
        area, parts = _area(probabilities[own, number], labels[own] == number)
        areas.append(area)
        added[own] += parts / len(present)
    return float(np.mean(areas)), _by_image(predictions, added)


def _by_image(predictions: Predictions, added: Array) -> Array:
    """Return the sum of what the rows of each image add."""
    if predictions.images is None:
        return added
    place = np.unique(predictions.images.numpy(), return_inverse=True)[1]
    return np.asarray(np.bincount(place, weights=added), dtype=np.float64)


def _area(scores: Array, positive: npt.NDArray[np.bool_]) -> tuple[float, Array]:
    n, m = int(positive.sum()), int((~positive).sum())
    ranks, placements = rankdata(scores), np.empty(len(scores))
    placements[positive] = (ranks[positive] - rankdata(scores[positive])) / m
    placements[~positive] = 1 - (ranks[~positive] - rankdata(scores[~positive])) / n
    area = float(placements[positive].mean())
    # Unbiased: each kind's variance is over one image less than there are.
    shares = np.where(positive, _share(n), _share(m))
    return area, (placements - area) * shares


def _share(n: int) -> float:
    return float(1 / np.sqrt(n * max(n - 1, 1)))


def _interval(value: float, added: Array) -> Interval | None:
    error = float(np.sqrt(np.sum(added**2)))
    if len(added) < ENOUGH_FOR_MEAN or error == 0:
        return None
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * error
    return value - half, value + half


AUROC = Metric(
    name="auroc",
    description="the area under the ROC curve, mean over classes of each against the rest; higher is better",
    direction="higher_is_better",
    range=(0.0, 1.0),
    value=auroc,
    interval=interval,
    difference=difference,
)
