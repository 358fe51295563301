"""One judged number: a measure of the revised network beside that of what it should match, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from monai_unlearn.evaluation.decision.endpoint import Sides

Rule = Literal["inside", "point_within", "not_beyond"]
"""What must hold, lest it block: the interval lies inside the margin; d itself is within it; or the interval is not
wholly beyond it and d is within twice the margin."""


MEMBERSHIP = "membership_auc"
"""How well losses tell forget training images from never-trained ones: no endpoint, but what `never_trained` judges."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A measure of the revised network beside its target.

    Attributes:
        subset: The subset, such as `forget_train`.
        label: The true class, or `all` of a mean over classes.
        predicted: Of `mean_probability`, the class whose probability it is.
        measure: One of `endpoint.MEASURES`, or `MEMBERSHIP`.
        margin: The margin, as a share.
        sides: Which side of the margin counts.
        rule: What must hold, lest it block.
        is_guard: Whether it was not declared as an endpoint, but guards one.
        min_patients: From how many patients on it may support `equivalent`.
        patients: G, how many patients there are.
        images: How many images they are of.
        pooled: The true classes, where several are judged together because each has few patients.
        seeds: R, how many retrained networks are the target; None if the target is one fixed network or a limit.
        value: The revised network's, in [0, 1]; None if it could not be judged.
        target: The target's.
        low: The lower limit of the interval of `value − target`.
        high: The upper one.
        seed_sd: s_R; None without retrained networks.
        target_distance: t_{R−1}·s_R/√R.
        patient_se: The standard error over patients.
        patient_distance: The larger of the distances from d that the doubt about patients alone gives the limits.
        p: The smallest error at which the interval is wholly beyond the margin; 1 if none is.
        stray: How far from their mean a single retrained network strays, at 98 % (t_{R−1,.99}·s_R·√(1 + 1/R)).
        error: The measured error of what was predicted, by which the interval is widened; None without a prediction.
        fault: Why it could not be judged, as a sentence without its end.
        is_beyond: Whether its Holm-adjusted interval is wholly beyond the margin, and d beyond what one retrained
            network strays.
    """

    subset: str
    label: str
    predicted: str | None
    measure: str
    margin: float
    sides: Sides
    rule: Rule = "inside"
    is_guard: bool = False
    min_patients: int = 0
    patients: int = 0
    images: int = 0
    pooled: tuple[str, ...] = ()
    seeds: int | None = None
    value: float | None = None
    target: float = math.nan
    low: float = -1.0
    high: float = 1.0
    seed_sd: float | None = None
    target_distance: float = 0.0
    patient_se: float = math.nan
    patient_distance: float = math.nan
    p: float = 1.0
    stray: float = 0.0
    error: float | None = None
    fault: str | None = None
    is_beyond: bool = False

    @property
    def difference(self) -> float:
        """The difference d; NaN if it could not be judged."""
        return math.nan if self.value is None else self.value - self.target

    @property
    def gap(self) -> float:
        """How far d lies towards the side that counts, negative if it lies on the other."""
        if self.sides == "both":
            return abs(self.difference)
        return self.difference if self.sides == "upper" else -self.difference

    @property
    def reach(self) -> float:
        """How far the interval reaches towards the margin, on the side that counts: 1 at the margin."""
        low = -self.low if self.sides != "upper" else -1.0
        high = self.high if self.sides != "lower" else -1.0
        return max(low, high) / self.margin

    @property
    def is_inside(self) -> bool:
        """Whether the 90 % interval lies inside the margin, on the side that counts."""
        return self.value is not None and self.reach < 1

    @property
    def is_wholly_beyond(self) -> bool:
        """Whether the 90 % interval, not adjusted, lies wholly beyond the margin, on a side that counts."""
        too_low = self.sides != "upper" and self.high < -self.margin
        too_high = self.sides != "lower" and self.low > self.margin
        return self.value is not None and (too_low or too_high)

    @property
    def has_few_patients(self) -> bool:
        """Whether it has too few patients to support `equivalent`."""
        return self.patients < self.min_patients

    @property
    def is_target_undetermined(self) -> bool:
        """Whether the doubt about the mean of the retrained networks alone exceeds the margin."""
        return self.value is not None and self.rule == "inside" and self.target_distance > self.margin

    @property
    def blocks(self) -> bool:
        """Whether it blocks a verdict that promotes."""
        if self.value is None or self.gap > 2 * self.margin:
            return True
        if self.rule != "inside":
            return self.is_wholly_beyond or (self.rule == "point_within" and self.gap > self.margin)
        return self.has_few_patients or not self.is_inside

    @property
    def status(self) -> str:
        """What was found, in one of the words of `STATUSES`."""
        if self.value is None:
            return "not_judged"
        if self.is_beyond:
            return "beyond"
        if self.rule != "inside":
            return "blocks" if self.blocks else "clear"
        if self.has_few_patients:
            return "too_few_patients"
        return "inside" if self.is_inside and not self.blocks else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """Return it as `metrics.json` holds it; what is not known is null."""
        judged = self.value is not None
        return {
            "subset": self.subset,
            "class": self.label,
            "predicted": self.predicted,
            "measure": self.measure,
            "margin": self.margin,
            "sides": self.sides,
            "guard": self.is_guard,
            "status": self.status,
            "fault": self.fault,
            "revised": self.value,
            "target": self.target if judged else None,
            "d": self.difference if judged else None,
            "interval": [self.low, self.high] if judged else None,
            "p": self.p if judged else None,
            "G": self.patients,
            "images": self.images,
            "min_patients": self.min_patients,
            "R": self.seeds,
            "s_R": _finite(self.seed_sd) if judged else None,
            "se_patients": _finite(self.patient_se) if judged else None,
            # Only a prediction has an error.
            **({} if self.error is None else {"error": self.error}),
        }


def _finite(value: float | None) -> float | None:
    """Return a number that JSON has; of one seed or one patient, there is no spread."""
    return value if value is not None and math.isfinite(value) else None


STATUSES = ("inside", "beyond", "undecided", "too_few_patients", "not_judged", "clear", "blocks")
"""`clear` and `blocks` are said of guards that look only for what is beyond the margin."""
