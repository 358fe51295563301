"""Acceptance criteria: named, declared before the run, judged after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monai_unlearn.errors import ConfigError, did_you_mean

Evidence = Mapping[str, Any]


def _accuracy(evidence: Evidence, model: str, part: str, split: str = "test") -> float | None:
    subset = evidence["models"].get(model, {}).get(part, {}).get(split)
    return None if subset is None else subset["accuracy"]


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _gap(evidence: Evidence, part: str, split: str = "test") -> float | None:
    value = _minus(_accuracy(evidence, "revised", part, split), _accuracy(evidence, "reference", part, split))
    return None if value is None else abs(value)


def _worst_class(evidence: Evidence, part: str, split: str = "test") -> float | None:
    classes = evidence["gaps_to_reference"].get(part, {}).get(split, {}).get("classes", {})
    known = [abs(gap["value"]) for gap in classes.values() if gap["value"] is not None]
    return max(known, default=None)


MEASURES: dict[str, Callable[[Evidence], float | None]] = {
    "forget_test_accuracy": lambda e: _accuracy(e, "revised", "forget"),
    "remain_test_accuracy": lambda e: _accuracy(e, "revised", "remain"),
    "remain_test_accuracy_drop": lambda e: _minus(
        _accuracy(e, "original", "remain"), _accuracy(e, "revised", "remain")
    ),
    "forget_train_gap_to_reference": lambda e: _gap(e, "forget", "train"),
    "forget_test_gap_to_reference": lambda e: _gap(e, "forget"),
    "forget_test_worst_class_gap_to_reference": lambda e: _worst_class(e, "forget"),
    "forget_train_worst_class_gap_to_reference": lambda e: _worst_class(e, "forget", "train"),
    "remain_test_gap_to_reference": lambda e: _gap(e, "remain"),
    "forgetting_surviving_recalibration": lambda e: e["forgetting"]["surviving_recalibration"],
    "share_of_retraining_gradients": lambda e: e["cost"]["share_of_retraining_gradients"],
}


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A measure and its limits, in shares: 0.05 is five percentage points.

    Args:
        measure: One of `MEASURES`.
        min: Smallest value that passes.
        max: Largest value that passes.
    """

    measure: str
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ConfigError(
                f"acceptance: no measure is named '{self.measure}'.{did_you_mean(self.measure, MEASURES)} "
                f"There are {', '.join(MEASURES)}."
            )
        limits = [limit for limit in (self.min, self.max) if limit is not None]
        if not limits or not all(isinstance(limit, (int, float)) for limit in limits):
            raise ConfigError(f"acceptance: {self.measure} needs a number as min, max or both.")

    def judge(self, evidence: Evidence) -> dict[str, Any]:
        """Return measure, limits, value and verdict: passed, failed, or not_judged for want of evidence."""
        value = MEASURES[self.measure](evidence)
        if value is None:
            verdict = "not_judged"
        else:
            low = -float("inf") if self.min is None else self.min
            high = float("inf") if self.max is None else self.max
            verdict = "passed" if low <= value <= high else "failed"
        return {"measure": self.measure, "min": self.min, "max": self.max, "value": value, "verdict": verdict}


def accepted(verdicts: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a result is accepted by its judged criteria.

    None may have failed, and where criteria about the forget part were declared at least one of them must
    have been judged: a run of which nobody knows whether it forgot is not accepted for keeping the rest.
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
