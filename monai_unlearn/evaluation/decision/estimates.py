"""Differences between one network and others on the same patients, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from monai_unlearn.evaluation.decision.exact_limit import Moments, distance_above

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

LEVEL = 0.05
"""The one-sided error of every limit: intervals hold 90 %."""
STRAY = 0.01
"""The one-sided error of the range of a single retrained network: 98 %."""

# The smallest error for which a limit is computed, and the steps of the bisection for it.
SMALLEST, STEPS = 1e-9, 20


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """m differences d: one network minus the mean of R others, over G patients.

    The interval is d ± √((t_{R−1}·s_R/√R)² + p²). Its first term is the doubt about the mean of all networks that might
    have been retrained. p is t_{G−1}·se of the paired differences of patients, or Gaffke's exact distance where that is
    the larger: it is where few patients are discordant (`exact_limit.py`), and near the same elsewhere. Where the
    others are one fixed network, such as the original, the first term is nothing.

    Attributes:
        value: The network's means, shape (m,).
        target: The mean of the others', shape (m,).
        seed_sd: s_R, the standard deviation of the others' means, shape (m,); None if they are one fixed network.
        seeds: R.
        patient_se: The standard error of the mean paired difference, shape (m,).
        patients: G; of a mean over classes, the number of patients in the smallest.
        strata: The weight and the moments of each stratum; one of weight 1, or each class of a mean over classes.
    """

    value: Array
    target: Array
    seed_sd: Array | None
    seeds: int
    patient_se: Array
    patients: int
    strata: tuple[tuple[float, Moments], ...]

    @property
    def difference(self) -> Array:
        """The difference d, shape (m,)."""
        return self.value - self.target

    def target_distance(self, level: float | Array = LEVEL) -> Array:
        """Return t_{R−1}·s_R/√R, shape (m,): infinite for one seed, 0 if the others are one fixed network."""
        return seed_distance(self.seed_sd, self.seeds, level, like=self.value)

    def stray(self) -> Array:
        """Return how far a single retrained network strays from their mean, t_{R−1,.99}·s_R·√(1 + 1/R), shape (m,)."""
        return np.asarray(self.target_distance(STRAY) * np.sqrt(self.seeds + 1))

    def patient_distances(self, level: float | Array = LEVEL) -> tuple[Array, Array]:
        """Return how far the limits lie below and above d for the doubt about patients alone, each of shape (m,)."""
        student = student_quantile(self.patients - 1, level) * self.patient_se
        above = sum((weight * distance_above(one, level)) ** 2 for weight, one in self.strata)
        below = sum((weight * distance_above(one.mirrored(), level)) ** 2 for weight, one in self.strata)
        return np.maximum(student, np.sqrt(below)), np.maximum(student, np.sqrt(above))

    def limits(self, level: float | Array = LEVEL) -> tuple[Array, Array]:
        """Return the lower and upper limits, each of shape (m,), within [−1, 1]."""
        return self.limits_at(self.target_distance(level), *self.patient_distances(level))

    def limits_at(self, target: Array, below: Array, above: Array) -> tuple[Array, Array]:
        """Return the limits of d from the distances for the doubt about the target, and about patients on each side."""
        low, high = self.difference - np.hypot(target, below), self.difference + np.hypot(target, above)
        return np.maximum(low, -1.0), np.minimum(high, 1.0)

    def p_beyond(self, margin: float) -> tuple[Array, Array]:
        """Return the smallest errors at which the limits lie wholly below −margin and above margin, each (m,).

        1 where they do at no level up to a half.
        """
        return self._p(lambda limits: limits[1] < -margin), self._p(lambda limits: limits[0] > margin)

    def _p(self, beyond: Callable[[tuple[Array, Array]], npt.NDArray[np.bool_]]) -> Array:
        lowest = np.full_like(self.value, np.log(SMALLEST))
        highest = np.full_like(self.value, np.log(0.5))
        never = ~beyond(self.limits(np.exp(highest)))
        if never.all():
            return np.ones_like(self.value)
        for _ in range(STEPS):
            middle = (lowest + highest) / 2
            is_beyond = beyond(self.limits(np.exp(middle)))
            lowest, highest = np.where(is_beyond, lowest, middle), np.where(is_beyond, middle, highest)
        return np.where(never, 1.0, np.exp(highest))


def seed_distance(seed_sd: Array | None, seeds: int, level: float | Array = LEVEL, *, like: Array) -> Array:
    """Return t_{R−1}·s_R/√R, in the shape of `like`."""
    if seed_sd is None:
        return np.zeros_like(like)
    if seeds < 2:  # noqa: PLR2004 - a spread needs two
        return np.full_like(like, np.inf)
    return np.asarray(student_quantile(seeds - 1, level) * seed_sd / np.sqrt(seeds))


def student_quantile(freedom: int, level: float | Array) -> Array:
    """Return the 1 − level quantile of Student's t distribution."""
    return np.asarray(special.stdtrit(freedom, 1 - np.asarray(level)))


def compare(subject: Array, others: Array, *, fixed: bool = False) -> Estimates:
    """Compare m measures of a network with those of others on the same patients.

    Args:
        subject: The network's, averaged within each patient, shape (patient, m); at least 2 patients.
        others: The others', shape (network, patient, m).
        fixed: Whether the others are one network that is itself the target, not a draw from what retraining gives.
    """
    paired = subject - others.mean(0)
    n = len(paired)
    return Estimates(
        value=subject.mean(0),
        target=others.mean((0, 1)),
        seed_sd=None if fixed else _spread(others.mean(1)),
        seeds=len(others),
        patient_se=paired.std(0, ddof=1) / np.sqrt(n),
        patients=n,
        strata=((1.0, Moments.of(paired)),),
    )


def compare_mean(
    subjects: Sequence[Array],
    others: Sequence[Array],
    patients: Sequence[npt.NDArray[np.int64]],
    *,
    fixed: bool = False,
) -> Estimates:
    """Compare the mean over classes of one measure.

    A patient may have images of several classes: the standard error is that of the sum of all that a patient adds. The
    exact distances of the classes are combined as independent ones (Zou and Donner 2008, Statistics in Medicine
    27:1693).

    Args:
        subjects: Of each class the network's, shape (patient,).
        others: Of each class the others', shape (network, patient).
        patients: Of each class the numbers of its patients, shape (patient,).
        fixed: See `compare`.
    """
    share = 1 / len(subjects)
    paired = [subject - other.mean(0) for subject, other in zip(subjects, others, strict=True)]
    added = np.zeros(1 + max(int(numbers.max()) for numbers in patients))
    for values, numbers in zip(paired, patients, strict=True):
        np.add.at(added, numbers, share * (values - values.mean()) / (len(values) - 1) ** 0.5 / len(values) ** 0.5)
    means = share * np.sum([other.mean(1) for other in others], axis=0)
    return Estimates(
        value=np.array([share * sum(subject.mean() for subject in subjects)]),
        target=np.array([means.mean()]),
        seed_sd=None if fixed else _spread(means[:, None]),
        seeds=len(means),
        patient_se=np.sqrt(np.array([np.sum(added**2)])),
        patients=min(map(len, paired)),
        strata=tuple((share, Moments.of(values[:, None])) for values in paired),
    )


def _spread(means: Array) -> Array:
    """Return the standard deviation over networks, shape (m,); of a single one it is not known."""
    return means.std(0, ddof=1) if len(means) > 1 else np.full(means.shape[1], np.nan)
