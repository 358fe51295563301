"""How far a revision moved each class of the forget part, beside how far revisions moved it in the rehearsal."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.evaluation.decision.endpoint import part_of, words
from monai_unlearn.evaluation.decision.estimates import LEVEL, student_quantile
from monai_unlearn.evaluation.decision.sentences import points

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence

TOLERANCE = 1e-9
"""Limits are written as decimals."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How far a class moved: the revised network's mean probability of the true class, minus the original's.

    Attributes:
        subset: The subset, such as `forget_train`.
        label: The true class.
        patients: How many patients it is over.
        min_patients: From how many on it is judged.
        change: The change, in [-1, 1]; None if there is no image, or an output is not finite.
        doubt: How far the 90 % limits over patients lie from it (Student); 1 with one patient.
        low: The smallest change in the rehearsal, less its doubt; None if it had none there.
        high: The largest, with its doubt.
    """

    subset: str
    label: str
    patients: int = 0
    min_patients: int = 0
    change: float | None = None
    doubt: float = 1.0
    low: float | None = None
    high: float | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """The 90 % limits of the change, within [-1, 1]: what a rehearsal's range is made of."""
        change = self.change or 0.0
        return max(-1.0, change - self.doubt), min(1.0, change + self.doubt)

    @property
    def has_few_patients(self) -> bool:
        """Whether it has too few patients to be judged."""
        return self.patients < self.min_patients

    @property
    def is_inside(self) -> bool:
        """Whether it is judged, and within the rehearsal's range."""
        if self.change is None or self.low is None or self.high is None or self.has_few_patients:
            return False
        return self.low - TOLERANCE <= self.change <= self.high + TOLERANCE

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        place = f"{words(self.subset)}, class {self.label}"
        if self.change is None:
            return f"{place}: could not be judged, since there is no image with finite outputs."
        if self.low is None or self.high is None:
            return f"{place}: no rehearsal cohort shows how far this class should move."
        if self.has_few_patients:
            return f"{place}: {self.patients} patients are too few to be judged ({self.min_patients} are needed)."
        return (
            f"{place}: its mean probability moved by {points(self.change)} points, in the rehearsal by "
            f"{points(self.low)} to {points(self.high)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as `metrics.json` holds it."""
        return {
            "subset": self.subset,
            "class": self.label,
            "G": self.patients,
            "change": self.change,
            "low": self.low,
            "high": self.high,
            "inside": self.is_inside,
        }


def changes(decision: Decision, evidence: Evidence) -> list[Moved]:
    """Return how far each class of the forget part moved, in every subset that an endpoint is about."""
    found = []
    for subset in (name for name in decision.subsets if part_of(name) == "forget"):
        for label in evidence.expected(subset):
            means = evidence.of(subset, label)
            one = Moved(subset=subset, label=label, min_patients=decision.min_patients(subset))
            if means is not None:
                after, before = evidence.rows(evidence.revised, evidence.original)
                column = evidence.class_names.index(label)
                differences = means.soft[after, :, column] - means.soft[before, :, column]
                is_finite = not {evidence.revised, evidence.original} & means.not_finite.keys()
                one = Moved(
                    subset=subset,
                    label=label,
                    patients=len(means),
                    min_patients=one.min_patients,
                    change=float(differences.mean()) if is_finite else None,
                    doubt=_doubt(differences),
                )
            found.append(one)
    return found


def _doubt(differences: npt.NDArray[np.float64]) -> float:
    n = len(differences)
    if n < 2 or not np.isfinite(differences).all():  # noqa: PLR2004 - a spread needs two
        return 1.0
    return float(student_quantile(n - 1, LEVEL)) * float(differences.std(ddof=1)) / math.sqrt(n)


def beside(found: list[Moved], ranges: Mapping[tuple[str, str], tuple[float, float]]) -> list[Moved]:
    """Put the rehearsal's ranges beside changes; what was rehearsed and has no change here is not judged.

    Args:
        found: The changes.
        ranges: The smallest and the largest change in the rehearsal, by subset and class.
    """
    known = {(one.subset, one.label): one for one in found}
    places = list(dict.fromkeys([*known, *ranges]))
    result = []
    for subset, label in places:
        low, high = ranges.get((subset, label), (None, None))
        one = known.get((subset, label), Moved(subset=subset, label=label))
        result.append(replace(one, low=low, high=high))
    return result
