"""How a revision moved each class of the forget part, beside how revisions moved it in the rehearsal.

A mean alone hides much: a class whose images are called something that no rehearsed network called them, or most of
whose patients are predicted as ever while a few make up for them. So four things are compared with the rehearsal, of
each class in each subset; see `What`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from monai_unlearn.evaluation.decision.endpoint import part_of, words
from monai_unlearn.evaluation.decision.estimates import LEVEL, compare, student_quantile
from monai_unlearn.evaluation.decision.sentences import points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence

    Array = npt.NDArray[np.float64]

What = Literal["mean_probability", "classified", "moved", "movement"]
"""Revised minus original, over patients: the mean probability of the true class; the share of images classified as
another class, `predicted`. And, between the two: the share of patients whose prediction moved by `MOVED_BY` or more;
how far predictions moved on average, half of Σ|Δp|."""
Place = tuple[str, str, str, str | None]
"""Subset, true class, `What` and the class predicted."""

TOLERANCE = 1e-9
"""Limits are written as decimals."""
MOVED_BY = 0.05
"""A patient's prediction moved if half of Σ|Δp| is at least this."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How a class moved.

    Attributes:
        subset: The subset, such as `forget_train`.
        label: The true class.
        what: What is said of it.
        predicted: Of `classified`, the class that images are classified as; else None.
        patients: How many patients it is over.
        min_patients: From how many on it is judged.
        change: The number, in [-1, 1]; None if there is no image, or an output is not finite.
        doubt: How far the 90 % limits over patients lie below and above it; 1 with one patient.
        low: The smallest in the rehearsal, less its doubt; None if it had none there.
        high: The largest, with its doubt.
    """

    subset: str
    label: str
    what: str = "mean_probability"
    predicted: str | None = None
    patients: int = 0
    min_patients: int = 0
    change: float | None = None
    doubt: tuple[float, float] = (1.0, 1.0)
    low: float | None = None
    high: float | None = None

    @property
    def place(self) -> Place:
        """What it is about, as a rehearsal's ranges are told apart."""
        return self.subset, self.label, self.what, self.predicted

    @property
    def limits(self) -> tuple[float, float]:
        """The 90 % limits of the change, within [-1, 1]: what a rehearsal's range is made of."""
        change = self.change or 0.0
        return max(-1.0, change - self.doubt[0]), min(1.0, change + self.doubt[1])

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
        where = f"{words(self.subset)}, class {self.label}"
        if self.change is None:
            return f"{where}: could not be judged, since there is no image with finite outputs."
        if self.low is None or self.high is None:
            return f"{where}: no rehearsal cohort shows how far this class should move{self._of}."
        if self.has_few_patients:
            return f"{where}: {self.patients} patients are too few to be judged ({self.min_patients} are needed)."
        return f"{where}: {self._said}"

    @property
    def _of(self) -> str:
        return "" if self.what == "mean_probability" else f" ({self.what}{f' {self.predicted}' * bool(self.predicted)})"

    @property
    def _said(self) -> str:
        change, low, high = (0.0 if one is None else one for one in (self.change, self.low, self.high))
        moved = f"{points(change)} points, in the rehearsal by {points(low)} to {points(high)}."
        if self.what == "mean_probability":
            return f"its mean probability moved by {moved}"
        if self.what == "classified":
            return f"the share of its images classified as {self.predicted} moved by {moved}"
        rehearsed = f"in the rehearsal {100 * max(low, 0.0):.1f} to {100 * high:.1f}"
        if self.what == "moved":
            return (
                f"the predictions of {100 * change:.1f} % of its patients moved by {100 * MOVED_BY:g} points or more, "
                f"{rehearsed} %."
            )
        return f"its predictions moved by {100 * change:.1f} points on average, {rehearsed}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as `metrics.json` holds it."""
        return {
            "subset": self.subset,
            "class": self.label,
            "what": self.what,
            "predicted": self.predicted,
            "G": self.patients,
            "change": self.change,
            "low": self.low,
            "high": self.high,
            "inside": self.is_inside,
        }


def changes(decision: Decision, evidence: Evidence) -> list[Moved]:
    """Return how each class of the forget part moved, in every subset that an endpoint is about."""
    return [
        one
        for subset in (name for name in decision.subsets if part_of(name) == "forget")
        for label in evidence.expected(subset)
        for one in _of_class(subset, label, decision, evidence)
    ]


def _of_class(subset: str, label: str, decision: Decision, evidence: Evidence) -> Iterator[Moved]:
    means = evidence.of(subset, label)
    one = Moved(subset=subset, label=label, min_patients=decision.min_patients(subset))
    if means is None:
        yield one
        return
    one = replace(one, patients=len(means))
    if {evidence.revised, evidence.original} & means.not_finite.keys():
        yield one
        return
    after, before = evidence.rows(evidence.revised, evidence.original)
    own = evidence.class_names.index(label)
    change = (means.soft[after] - means.soft[before])[:, own]
    yield replace(one, change=float(change.mean()), doubt=_student(change))
    for predicted, values in _others(label, means, evidence):
        yield replace(one, what="classified", predicted=predicted, change=float(values.mean()), doubt=_exact(values))
    distance = np.abs(means.soft[after] - means.soft[before]).sum(-1) / 2
    for what, values in (("moved", (distance >= MOVED_BY).astype(np.float64)), ("movement", distance)):
        yield replace(one, what=what, change=float(values.mean()), doubt=_exact(values))


def _others(label: str, means: ClassMeans, evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """Yield each other class, and how the share of each patient's images that is classified as it moved."""
    after, before = evidence.rows(evidence.revised, evidence.original)
    for column, name in enumerate(evidence.class_names):
        if name != label:
            yield name, means.hard[after, :, column] - means.hard[before, :, column]


def _student(differences: Array) -> tuple[float, float]:
    n = len(differences)
    if n < 2:  # noqa: PLR2004 - a spread needs two
        return 1.0, 1.0
    distance = float(student_quantile(n - 1, LEVEL)) * float(differences.std(ddof=1)) / math.sqrt(n)
    return distance, distance


def _exact(values: Array) -> tuple[float, float]:
    """Return the distances of the limits that hold where few patients, or none, differ from the others, too."""
    if len(values) < 2:  # noqa: PLR2004 - a spread needs two
        return 1.0, 1.0
    below, above = compare(values[:, None], np.zeros((1, len(values), 1)), fixed=True).patient_distances()
    return float(below[0]), float(above[0])


def beside(found: list[Moved], ranges: Mapping[Place, tuple[float, float]]) -> list[Moved]:
    """Put the rehearsal's ranges beside changes; what was rehearsed and has no change here is not judged.

    Args:
        found: The changes.
        ranges: The smallest and the largest change in the rehearsal, by place.
    """
    known = {one.place: one for one in found}
    result = []
    for place in dict.fromkeys([*known, *ranges]):
        subset, label, what, predicted = place
        low, high = ranges.get(place, (None, None))
        one = known.get(place, Moved(subset=subset, label=label, what=what, predicted=predicted))
        result.append(replace(one, low=low, high=high))
    return result
