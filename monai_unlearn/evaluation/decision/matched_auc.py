"""How well losses tell training images from never-trained ones of the same class: an AUC over patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.decision.estimates import LEVEL, student_quantile

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]

CHANCE = 0.5


@dataclass(frozen=True, kw_only=True)
class Units:
    """The images of one patient in one stratum, a unit each: the strata are classes, or classes by device.

    Attributes:
        losses: The mean loss of each unit, shape (unit,).
        strata: The number of each unit's stratum, shape (unit,).
        patients: The number of each unit's patient, shape (unit,); a patient is in one split only, so never both among
            the members and the others.
    """

    losses: Array
    strata: Numbers
    patients: Numbers

    def __len__(self) -> int:
        return len(self.losses)


@dataclass(frozen=True, kw_only=True)
class MatchedAuc:
    """The AUC of members against others, each member against the others of its stratum.

    AUC = mean over members of the share of others of their stratum whose loss is higher, ties counting half: 0.5 if
    members look like images never trained on, above if they were memorised, below if they were unlearned too far. The
    variance is that of DeLong et al. 1988 (Biometrics 44:837, equation 4), with the components of a patient summed, and
    members centred on the whole AUC, which is never narrower; at least the variance that the AUC has where members and
    others are alike (Mann and Whitney 1947), lest few patients who happen to agree look certain.

    Attributes:
        value: The AUC, in [0, 1].
        members: The component of each member unit, shape (unit,).
        others: What each other unit adds beyond its stratum's AUC, times its stratum's weight, shape (unit,).
        member_patients: The patient of each member unit.
        other_patients: The patient of each other unit.
        floor: The variance where members and others are alike.
        alike: The mean of |2u − 1| over the components u of the members where members and others are alike: a half, and
            a little more where few others make them coarse.
    """

    value: float
    members: Array
    others: Array
    member_patients: Numbers
    other_patients: Numbers
    floor: float
    alike: float

    @classmethod
    def of(cls, members: Units, others: Units) -> MatchedAuc:
        """Return the AUC; each stratum of a member needs at least two other units.

        Raises:
            ValueError: There is no member, or a stratum lacks others.
        """
        components, added = np.zeros(len(members)), np.zeros(len(others))
        floor = alike = 0.0
        if not len(members):
            raise ValueError("an AUC needs members")
        for stratum in np.unique(members.strata):
            mine, theirs = members.strata == stratum, others.strata == stratum
            if (n := int(theirs.sum())) < 2:  # noqa: PLR2004 - a spread needs two
                raise ValueError("an AUC needs two others in each stratum")
            lower = _lower(members.losses[mine], others.losses[theirs])
            share, m = mine.mean(), int(mine.sum())
            components[mine] = lower.mean(1)
            added[theirs] = share * (lower.mean(0) - lower.mean()) / np.sqrt(n * (n - 1))
            floor += share**2 * (m + n + 1) / (12 * m * n)
            # The mean over k = 0 … n of |2k/n − 1|: each place among n others is as likely.
            alike += share * float(np.abs(2 * np.arange(n + 1) / n - 1).mean())
        return cls(
            value=float(components.mean()),
            members=components,
            others=added,
            member_patients=members.patients,
            other_patients=others.patients,
            floor=floor,
            alike=alike,
        )

    @property
    def patients(self) -> int:
        """How many patients there are on the side that has fewer."""
        return min(len(np.unique(self.member_patients)), len(np.unique(self.other_patients)))

    @property
    def excess_spread(self) -> float:
        """How much more often than by chance members lie at either end of the others, from about −0.5 to 0.5.

        An AUC of 0.5 is also that of members half of which are memorised and half unlearned too far.
        """
        return float(np.abs(2 * self.members - 1).mean()) - self.alike

    @property
    def standard_error(self) -> float:
        """The standard error over patients."""
        return float(np.sqrt(max(self._variance(self.members, self.others), self.floor)))

    def interval(self) -> tuple[float, float]:
        """Return the 90 % interval, within [0, 1]."""
        distance = self._distance(self.standard_error)
        return max(self.value - distance, 0.0), min(self.value + distance, 1.0)

    def above(self, other: MatchedAuc) -> float:
        """Return the lower limit, at 95 %, of how far this AUC lies above another of the same images."""
        variance = self._variance(self.members - other.members, self.others - other.others)
        return self.value - other.value - self._distance(float(np.sqrt(variance)))

    def _distance(self, error: float) -> float:
        freedom = self.patients - 1
        return float(student_quantile(freedom, LEVEL)) * error if freedom > 0 else 1.0

    def _variance(self, members: Array, others: Array) -> float:
        summed = _by_patient((members - members.mean()) / len(members), self.member_patients)
        correction = len(summed) / max(len(summed) - 1, 1)
        return float(correction * (summed**2).sum() + (_by_patient(others, self.other_patients) ** 2).sum())


def _lower(members: Array, others: Array) -> Array:
    """Return whether each member's loss is lower than each other's, ties half, shape (member, other)."""
    return np.asarray((members[:, None] < others) + CHANCE * (members[:, None] == others))


def _by_patient(values: Array, patients: Numbers) -> Array:
    _, place = np.unique(patients, return_inverse=True)
    return np.asarray(np.bincount(place, weights=values), dtype=np.float64)
