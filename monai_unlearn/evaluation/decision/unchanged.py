"""Whether a revision changed anything: a network that predicts as before has not forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.decision.estimates import LEVEL, student_quantile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence

    Array = npt.NDArray[np.float64]

HARDLY = 0.1
"""A revision that moves predictions by less than this share of what retraining moves them by has changed nothing."""
TOWARD = 0.25
"""At least this share of the way that each retrained network goes toward the others must a revision go toward all."""


def moved(evidence: Evidence, name: str, subsets: Sequence[str]) -> float:
    """Return how far a network's predictions lie from the original's: half the mean of Σ|Δp|, in [0, 1].

    Over the patients of each true class in the subsets; NaN if there are none or an output is not finite.
    """
    rows = evidence.rows(name, evidence.original)
    distances = [np.abs(means.soft[rows[0]] - means.soft[rows[1]]).sum(-1) / 2 for means in _classes(evidence, subsets)]
    return float(np.concatenate(distances).mean()) if distances else float("nan")


@dataclass(frozen=True, kw_only=True)
class Way:
    """How far a network went from the original toward others.

    Attributes:
        share: Of the way from the original to the others' mean: 0 for the original and one that only jitters about it,
            1 where it arrives. NaN if there is no way, or an output is not finite.
        low: Its lower limit, at 95 %, over patients.
    """

    share: float
    low: float


def toward(evidence: Evidence, name: str, others: Sequence[str], subsets: Sequence[str]) -> Way:
    """Return how far a network went from the original toward the mean of others, patient by patient.

    The share is Σ v·d / Σ d·d over patients, of the network's step v and the others' step d, each in the probabilities
    of all classes. Patients on whom the others predict as the original does weigh nothing, and steps in no direction
    cancel out. The limit is the jackknife's (Miller 1974, Biometrika 61:1), with as many degrees of freedom as patients
    carry the weight (Σb)²/Σb², so that one or two of them show nothing.
    """
    done, whole = _steps(evidence, name, others, subsets)
    total = whole.sum()
    if not np.isfinite(total) or not np.isfinite(done).all() or total <= 0:
        return Way(share=float("nan"), low=float("nan"))
    share = float(done.sum() / total)
    freedom = total**2 / (whole**2).sum() - 1
    without = total - whole
    if freedom < 1 or (without <= 0).any():
        return Way(share=share, low=float("-inf"))
    left_out = (done.sum() - done) / without
    n = len(left_out)
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    return Way(share=share, low=share - float(student_quantile(freedom, LEVEL)) * float(error))


def _steps(evidence: Evidence, name: str, others: Sequence[str], subsets: Sequence[str]) -> tuple[Array, Array]:
    """Return v·d and d·d of each patient, each of shape (patient,), summed over all that a patient has images of."""
    own, before = evidence.rows(name, evidence.original)
    done, whole, patients = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for means in _classes(evidence, subsets):
        way = means.soft[evidence.rows(*others)].mean(0) - means.soft[before]
        done.append(((means.soft[own] - means.soft[before]) * way).sum(-1))
        whole.append((way * way).sum(-1))
        patients.append(means.patients)
    _, place = np.unique(np.concatenate(patients), return_inverse=True)
    done_each, whole_each = (np.bincount(place, np.concatenate(one)) for one in (done, whole))
    return done_each.astype(np.float64), whole_each.astype(np.float64)


def unchanged(
    evidence: Evidence, subsets: Sequence[str], predictor: str | None = None, each: Sequence[str] | None = None
) -> str | None:
    """Return a sentence if the revised network did not leave the original where it should forget, else None.

    Within wide margins, an original that was never retrained can look equivalent, and so can one that was shaken.
    Networks retrained without the cohort show how far its predictions move when it is left out, by chance alone at
    least, and where to.

    Args:
        evidence: The means of all networks.
        subsets: The subsets of the forget part.
        predictor: The predictor whose proxies stand in for retrained networks; None where there are such.
        each: The subsets of which each image is predicted; by default all of them.
    """
    others = evidence.references if predictor is None else evidence.proxies
    by = "retrained networks" if predictor is None else predictor
    found = moved(evidence, evidence.revised, subsets)
    least = min((moved(evidence, name, subsets) for name in others), default=0.0)
    if found <= HARDLY * least:
        return (
            f"The revised network predicts the forget part as the original does: its probabilities differ by "
            f"{100 * found:.2f} points on average, those of {by} by at least {100 * least:.2f}."
        )
    ways = subsets if each is None else each
    return _aside(evidence, ways, by, others, is_predicted=predictor is not None) if others else None


def _aside(
    evidence: Evidence, subsets: Sequence[str], by: str, others: Sequence[str], *, is_predicted: bool
) -> str | None:
    """Return a sentence if the revised network moved, but not to where the others are."""
    way = toward(evidence, evidence.revised, others, subsets)
    least = HARDLY if is_predicted else TOWARD * _least_way(evidence, others, subsets)
    if not (way.share < least or way.low <= 0):
        return None
    return (
        f"The revised network does not move toward {by} on the forget part: it goes {100 * way.share:.0f} % of the way "
        f"from the original to their mean, where {100 * least:.0f} % are asked for, and more than none must be shown."
    )


def _least_way(evidence: Evidence, others: Sequence[str], subsets: Sequence[str]) -> float:
    """Return the smallest share of the way that one of the others goes toward the rest; 1 of a single one."""
    ways = [
        toward(evidence, name, [other for other in others if other != name], subsets).share
        for name in others
        if len(others) > 1
    ]
    return max(min(ways, default=1.0), 0.0)


def _classes(evidence: Evidence, subsets: Sequence[str]) -> Iterator[ClassMeans]:
    for subset in subsets:
        yield from evidence.subsets.get(subset, {}).values()
