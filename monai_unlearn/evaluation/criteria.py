"""Acceptance criteria: named, declared before the run, judged after it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monai_unlearn.errors import ConfigError, did_you_mean
from monai_unlearn.evaluation.measures import JUDGED_PARTS, OTHERS, Evidence, measures
from monai_unlearn.evaluation.metrics import registered
from monai_unlearn.vocabulary.parts import SPLITS


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A measure and its limits, in the measure's own unit: for accuracy shares, so 0.05 is five percentage points.

    Args:
        measure: One of `measures()`.
        min: Smallest value that passes.
        max: Largest value that passes.

    Raises:
        ConfigError: There is no such measure, or no limit, or a limit is not a number.

    >>> evidence = {"cost": {"share_of_retraining_gradients": 0.04}}
    >>> Criterion(measure="share_of_retraining_gradients", max=0.1).judge(evidence)["verdict"]
    'passed'
    """

    measure: str
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        if self.measure not in measures():
            raise ConfigError(_unknown(self.measure))
        limits = [limit for limit in (self.min, self.max) if limit is not None]
        if not limits or not all(isinstance(limit, (int, float)) for limit in limits):
            raise ConfigError(f"acceptance: {self.measure} needs a number as min, max or both.")

    def judge(self, evidence: Evidence) -> dict[str, Any]:
        """Return measure, limits, value and verdict: `passed`, `failed`, or `not_judged` without evidence."""
        value = measures()[self.measure](evidence)
        if value is None:
            verdict = "not_judged"
        else:
            low = -math.inf if self.min is None else self.min
            high = math.inf if self.max is None else self.max
            verdict = "passed" if low <= value <= high else "failed"
        return {"measure": self.measure, "min": self.min, "max": self.max, "value": value, "verdict": verdict}


def accepted(verdicts: Sequence[Mapping[str, Any]]) -> bool:
    """Decide from its judged criteria whether a result is accepted.

    None may have failed. If any criterion is about the forget part, at least one such criterion must have passed:
    keeping the remain part is no evidence of forgetting.
    """
    about_forget = [row["verdict"] for row in verdicts if row["measure"].startswith("forget")]
    if about_forget and "passed" not in about_forget:
        return False
    return all(row["verdict"] != "failed" for row in verdicts)


def read_criteria(acceptance: Mapping[str, Mapping[str, float]]) -> tuple[Criterion, ...]:
    """Read `{measure: {min: …, max: …}}` of a config.

    Raises:
        ConfigError: A measure is unknown or has no limit.
    """
    criteria = []
    for measure, limits in acceptance.items():
        if not isinstance(limits, Mapping) or set(limits) - {"min", "max"}:
            raise ConfigError(f"acceptance: {measure} takes {{min: …, max: …}} and nothing else.")
        criteria.append(Criterion(measure=measure, **limits))
    return tuple(criteria)


def _unknown(measure: str) -> str:
    """Return the message for an unknown measure; there are too many to list, so it says how names are formed."""
    subset = f"{{{','.join(JUDGED_PARTS)}}}_{{{','.join(SPLITS)}}}"
    metrics = f"{{{','.join(registered())}}}"
    return (
        f"acceptance: expected a measure, got '{measure}'.{did_you_mean(measure, measures())} Measures are "
        f"{subset}_{metrics}, such as forget_test_accuracy, also ending in _drop (or _rise, if lower is better); "
        f"{subset}_gap_to_reference and {subset}_worst_class_gap_to_reference (of accuracy; for another metric its "
        f"name comes before _gap or _worst); {' and '.join(OTHERS)}."
    )
