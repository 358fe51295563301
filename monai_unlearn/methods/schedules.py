"""Schedules of the proximity weight over the steps of a search."""

from __future__ import annotations

import math
from dataclasses import dataclass

from monai_unlearn.errors import ConfigError, check_choice

SCHEDULES = ("constant", "inverse", "exponential", "linear")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A weight λ that is constant or decreases over the steps t = 1 … T.

    | kind | λₜ |
    | --- | --- |
    | constant | λ |
    | inverse | λ / t |
    | exponential | λ · exp(−r (t − 1)) |
    | linear | λ · (1 − (t − 1) / T) |

    All start at λ. The kinds and the rate 0.01 are those of arXiv 2505.21872.

    Args:
        start: λ, at least 0.
        kind: One of `SCHEDULES`.
        rate: r of the exponential schedule, at least 0.

    Raises:
        ConfigError: The kind is unknown, or a number is out of range.
    """

    start: float
    kind: str = "constant"
    rate: float = 0.01

    def __post_init__(self) -> None:
        check_choice(self.kind, SCHEDULES, name="proximity_schedule")
        if not (0 <= self.start < math.inf and 0 <= self.rate < math.inf):
            raise ConfigError(f"schedule: expected start >= 0 and rate >= 0, got {self.start} and {self.rate}.")

    def at(self, step: int, steps: int) -> float:
        """Return λₜ of step t, counted from 1, of T steps."""
        if self.kind == "inverse":
            return self.start / step
        if self.kind == "exponential":
            return self.start * math.exp(-self.rate * (step - 1))
        if self.kind == "linear":
            return self.start * (1 - (step - 1) / steps)
        return self.start
