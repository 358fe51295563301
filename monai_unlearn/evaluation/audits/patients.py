"""Intervals with patients as units: images of one patient are not independent, and both eyes count together."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from monai_unlearn.evaluation.audits.figure import Figure
from monai_unlearn.evaluation.intervals import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]

DRAWS, FEWEST_DRAWS = 1000, 200
"""Bootstrap samples: the 2.5 % limit then lies on the 25th value, whose rank varies by about five."""
_COUNTS, _AT_ONCE = 20_000_000, 4_000_000
TWO = 2
_Z = float(norm.ppf((1 + CONFIDENCE) / 2))


def patient_means(values: Array, patients: Ids) -> Array:
    """Return the mean of each patient's values, shape (patient,)."""
    _, place = np.unique(patients, return_inverse=True)
    return np.asarray(np.bincount(place, weights=values) / np.bincount(place))


def share(values: Array, patients: Ids) -> Figure:
    """Return the mean of patients' shares in [0, 1], with the Wilson score interval for so many patients.

    A share of a patient within [0, 1] varies at most as a yes or no with the same mean, for which Wilson's interval is.

    >>> share(np.array([1.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 2])).value
    0.8333333333333334
    """
    if not len(values):
        return Figure()
    means = patient_means(values, patients)
    n, p = len(means), float(means.mean())
    centre, width = p + _Z**2 / (2 * n), _Z * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    low, high = (float((centre + sign * width) / (1 + _Z**2 / n)) for sign in (-1, 1))
    return Figure(value=p, interval=(low, high))


def matched_auc(scores: Array, *, member: npt.NDArray[np.bool_], classes: Ids, patients: Ids) -> Figure:
    """Return the area under the ROC curve of members against non-members of the same class.

    The mean of the areas of the classes, weighted by their members; ties count half. A class that lacks either is left
    out. The variance is the sum over patients of the squared sum of what their images add (Obuchowski 1997, Biometrics
    53:567, for members and non-members of different patients DeLong's with patients for images), and the interval is
    Wald's on the logit scale; None where the two kinds are separated, or either is of one patient.

    Args:
        scores: Higher for a member, shape (image,).
        member: Whether a network was trained on each image, shape (image,).
        classes: The true class of each image, shape (image,).
        patients: The patient of each image, shape (image,).
    """
    both = [c for c in np.unique(classes) if 0 < member[classes == c].sum() < (classes == c).sum()]
    if not both:
        return Figure()
    weight = {c: float((member & (classes == c)).sum()) for c in both}
    total, value, added = sum(weight.values()), 0.0, np.zeros(len(scores))
    for c in both:
        of, part = classes == c, weight[c] / total
        area, placements = _placements(scores[of], member[of])
        value += part * area
        counts = np.where(member[of], member[of].sum(), (~member[of]).sum())
        added[of] += part * (placements - area) / counts
    used = np.isin(classes, both)
    variance, groups = 0.0, []
    for kind in (member & used, ~member & used):
        # The sums of a kind over its patients have mean 0: the correction is that of a variance.
        sums = np.bincount(np.unique(patients[kind], return_inverse=True)[1], weights=added[kind])
        groups.append(len(sums))
        variance += float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1)
    if min(groups) < TWO or variance == 0 or not 0 < value < 1:
        return Figure(value=value)
    half = _Z * variance**0.5 / (value * (1 - value))
    return Figure(value=value, interval=(float(expit(logit(value) - half)), float(expit(logit(value) + half))))


def _placements(scores: Array, member: npt.NDArray[np.bool_]) -> tuple[float, Array]:
    """Return the area, and of each image the share of the other kind that it is ordered correctly with."""
    n, m = int(member.sum()), int((~member).sum())
    ranks, placements = rankdata(scores), np.empty(len(scores))
    placements[member] = (ranks[member] - rankdata(scores[member])) / m
    placements[~member] = 1 - (ranks[~member] - rankdata(scores[~member])) / n
    return float(placements[member].mean()), placements


def bootstrapped(statistic: Callable[[Array], Array], value: Array, *, patients: int, seed: int) -> list[Figure]:
    """Return figures with percentile intervals of a bootstrap over patients (Efron 1979, Annals of Statistics 7:1).

    Args:
        statistic: The values for how often each patient counts: weights of shape (draw, patient) to (draw, m).
        value: The values for every patient once, shape (m,).
        patients: How many there are; with fewer than two there is no interval.
        seed: Seeds the draws: 1,000 of up to 20,000 patients, 200 of 100,000 and more.
    """
    if patients < TWO:
        return [Figure(value=float(one)) for one in value]
    draws = int(np.clip(_COUNTS // patients, FEWEST_DRAWS, DRAWS))
    at_once = max(1, _AT_ONCE // patients)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.concatenate(
            [
                statistic(_weights(patients, min(at_once, draws - start), seed, start))
                for start in range(0, draws, at_once)
            ]
        )
    tail = (1 - CONFIDENCE) / 2
    return [
        Figure(value=float(one), interval=_limits(drawn[:, number], tail) if np.isfinite(one) else None)
        for number, one in enumerate(value)
    ]


@lru_cache(maxsize=1)
def _weights(patients: int, draws: int, seed: int, start: int) -> Array:
    """Return how often each of so many draws with replacement has each patient, shape (draw, patient)."""
    chosen = np.random.default_rng((seed, start)).integers(patients, size=(draws, patients))
    chosen += np.arange(draws)[:, None] * patients
    found = np.bincount(chosen.ravel(), minlength=draws * patients).reshape(draws, patients).astype(float)
    found.setflags(write=False)  # it is kept for the next statistic of the same patients
    return found


def _limits(drawn: Array, tail: float) -> tuple[float, float] | None:
    """Return the limits of the draws that have a value; None if one in twenty has none."""
    known = drawn[np.isfinite(drawn)]
    if len(known) < CONFIDENCE * len(drawn):
        return None
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def sums_by_patient(values: Array, patients: Ids) -> Array:
    """Return the sums of values over the images of each patient.

    Args:
        values: Shape (image, m).
        patients: The patient of each image, shape (image,).

    Returns:
        Shape (patient, m).
    """
    _, place = np.unique(patients, return_inverse=True)
    found = np.zeros((int(place.max(initial=-1)) + 1, values.shape[1]))
    np.add.at(found, place, values)
    return found
