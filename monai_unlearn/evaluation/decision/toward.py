"""Whether a network went from the original to where others are, and for how many patients it did.

Means of classes and intervals within margins do not tell: an original that was shaken, and one that forgot some
patients and kept others, can have the means of retrained networks. Patients tell, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from monai_unlearn.evaluation.decision.endpoint import words
from monai_unlearn.evaluation.decision.estimates import LEVEL, student_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence

    Array = npt.NDArray[np.float64]

TOWARD = 0.25
"""At least this share of the way that each of the others goes toward the rest must a network go toward all."""
MOVED_BY = 0.1
"""The others move a patient if half of Σ|Δp| between the original and their mean is at least this."""
HALF_WAY = 0.5
"""A network reaches a patient whom the others move if it goes at least this share of the way there."""
REACHED = 0.75
"""As large a share of what each of the others reaches of the patients must a network reach."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How far a network went from the original toward others.

    Attributes:
        share: Of the way from the original to the others' mean: 0 for the original and one that only jitters about it,
            1 where it arrives. NaN if there is no way, or an output is not finite.
        low: Its lower limit, at 95 %, over patients.
        moved: How many patients the others move.
        reached: How many of these the network reaches.
    """

    share: float
    low: float
    moved: int = 0
    reached: int = 0

    @property
    def high(self) -> float:
        """The upper limit of the share, at 95 %."""
        return 2 * self.share - self.low

    @property
    def at_most(self) -> float:
        """The upper limit, at 95 %, of the share of patients reached (Clopper and Pearson 1934)."""
        missed = self.moved - self.reached
        return float(beta.ppf(1 - LEVEL, self.reached + 1, missed)) if missed else 1.0


def toward(
    evidence: Evidence, name: str, others: Sequence[str], subsets: Sequence[str], label: str | None = None
) -> Way:
    """Return how far a network went from the original toward the mean of others, patient by patient.

    The share is Σ v·d/|d| / Σ |d| over patients, of the network's step v and the others' step d, each in the
    probabilities of all classes: what it goes in their direction, of what they go. Patients on whom the others predict
    as the original does weigh nothing, and steps in no direction cancel out. The limit is the jackknife's (Miller 1974,
    Biometrika 61:1), with as many degrees of freedom as patients carry the weight, (Σb)²/Σb² − 1, so that one or two
    of them show nothing.

    Args:
        evidence: The means of all networks.
        name: The network.
        others: What retraining gives, or proxies of it.
        subsets: The subsets of the forget part.
        label: The true class; None for all.
    """
    means = [
        one
        for subset in subsets
        for true, one in evidence.subsets.get(subset, {}).items()
        if label in (None, true) and len(one)
    ]
    done, whole, moved, patients = _steps(evidence, name, others, means)
    if not len(done) or not np.isfinite(done).all() or not whole.sum() > 0:
        return Way(share=float("nan"), low=float("nan"))
    reached = moved & (done >= HALF_WAY * whole)
    share, low = _share(_by_patient(done, patients), _by_patient(whole, patients))
    return Way(share=share, low=low, moved=int(moved.sum()), reached=int(reached.sum()))


def _steps(
    evidence: Evidence, name: str, others: Sequence[str], classes: Sequence[ClassMeans]
) -> tuple[Array, Array, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return v·d/|d|, |d|, whether the others move the patient, and which it is, of each patient in each true class."""
    own, before = evidence.rows(name, evidence.original)
    done, whole, moved, patients = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, np.bool_)], [np.zeros(0, np.int64)]
    for means in classes:
        way = means.soft[evidence.rows(*others)].mean(0) - means.soft[before]
        far = np.sqrt((way * way).sum(-1))
        along = ((means.soft[own] - means.soft[before]) * way).sum(-1)
        done.append(np.divide(along, far, out=0 * along, where=far != 0))
        whole.append(far)
        moved.append(np.abs(way).sum(-1) / 2 >= MOVED_BY)
        patients.append(means.patients)
    return np.concatenate(done), np.concatenate(whole), np.concatenate(moved), np.concatenate(patients)


def _by_patient(values: Array, patients: npt.NDArray[np.int64]) -> Array:
    _, place = np.unique(patients, return_inverse=True)
    return np.bincount(place, values).astype(np.float64)


def _share(done: Array, whole: Array) -> tuple[float, float]:
    """Return the share of the way that is gone, and its lower limit."""
    total = whole.sum()
    share = float(done.sum() / total)
    freedom, without = total**2 / (whole**2).sum() - 1, total - whole
    if freedom < 1 or (without <= 0).any():
        return share, float("-inf")
    left_out = (done.sum() - done) / without
    n = len(left_out)
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    return share, share - float(student_quantile(freedom, LEVEL)) * float(error)


def aside(evidence: Evidence, others: Sequence[str], subsets: Sequence[str], by: str) -> str | None:
    """Return a sentence if the revised network did not go to where the others are, else None.

    How far networks of this kind go, and for how many patients, each of the others shows against the rest.

    Args:
        evidence: The means of all networks.
        others: Retrained networks, or proxies of these.
        subsets: The subsets of the forget part.
        by: What the others are, in words.
    """
    way = toward(evidence, evidence.revised, others, subsets)
    peers = _peers(evidence, others, subsets)
    least = _least(peers)
    if way.share < least or way.low <= 0:
        return (
            f"The revised network does not move toward {by} on the forget part: it goes {100 * way.share:.0f} % of the "
            f"way from the original to their mean, where {100 * least:.0f} % are asked for, and more than none must be "
            "shown."
        )
    # A single one does not show how many patients such a network reaches.
    fewest = REACHED * min((one.reached / one.moved for one in peers if one.moved), default=0.0)
    if way.moved and way.at_most < fewest:
        return (
            f"The revised network leaves patients of the forget part behind: of {way.moved} whom {by} move by "
            f"{100 * MOVED_BY:g} points or more, it takes {way.reached} at least half of the way, and "
            f"{100 * fewest:.0f} % are asked for."
        )
    return _class_behind(evidence, others, subsets, by)


def _peers(evidence: Evidence, others: Sequence[str], subsets: Sequence[str], label: str | None = None) -> list[Way]:
    """Return how far each of the others goes toward the rest; nothing of a single one."""
    if len(others) == 1:
        return []
    return [toward(evidence, name, [one for one in others if one != name], subsets, label) for name in others]


def _least(peers: Sequence[Way]) -> float:
    return TOWARD * max(min((one.share for one in peers), default=1.0), 0.0)


def _class_behind(evidence: Evidence, others: Sequence[str], subsets: Sequence[str], by: str) -> str | None:
    """Return a sentence if one class of a subset is shown not to go along, however far the others go."""
    for subset in subsets:
        for label in evidence.subsets.get(subset, {}):
            way = toward(evidence, evidence.revised, others, [subset], label)
            least = _least(_peers(evidence, others, [subset], label))
            if way.high < least:
                return (
                    f"{words(subset)}, class {label}: the revised network does not move toward {by}: it goes "
                    f"{100 * way.share:.0f} % of the way from the original to their mean, where {100 * least:.0f} % "
                    "are asked for."
                )
    return None
