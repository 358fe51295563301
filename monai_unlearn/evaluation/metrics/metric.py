"""What a metric is: one frozen record, from which evidence, slices, card and schema follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.evaluation.predictions import Predictions

Interval = tuple[float, float]
Direction = Literal["higher_is_better", "lower_is_better"]
# Keys of `metrics.json` that lie beside the metrics of a subset.
RESERVED = ("n", "correct", "value", "interval", "classes")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number measured on images, and its interval at 95 % if there is one."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that says how well a network predicts a set of images.

    The functions are never called with an empty set.

    Args:
        name: Its name in configs, `metrics.json` and cards: lower-case letters, digits, underscores.
        description: One sentence for the card: what it is, its unit, which way is better.
        direction: `higher_is_better` or `lower_is_better`.
        range: Smallest and largest possible value; either may be infinite.
        value: Its value, or None if it is undefined for these images.
        interval: The value's interval at 95 %, or None if the images do not support one.
        difference: The estimate of `b − a` for two networks' predictions `a` and `b` of the same images, or None.
            Each metric documents whether its interval is that of paired or of independent samples.
        percent: Whether it is a share, which the card prints in percent and its differences in points.
        always_has_interval: Whether every value has an interval; the card's schema then requires it.

    Raises:
        ValueError: The name, direction or range is not valid.

    >>> import torch
    >>> from monai_unlearn.evaluation import Predictions
    >>> errors = Metric(
    ...     name="errors",
    ...     description="how many images are classified incorrectly; lower is better",
    ...     direction="lower_is_better",
    ...     range=(0, math.inf),
    ...     value=lambda predictions: float((~predictions.correct).sum()),
    ...     interval=lambda predictions: None,
    ...     difference=lambda a, b: None,
    ... )
    >>> errors.measure(Predictions(logits=torch.eye(2), labels=torch.tensor([0, 0])))
    {'value': 1.0, 'interval': None}
    """

    name: str
    description: str
    direction: Direction
    range: tuple[float, float]
    value: Callable[[Predictions], float | None]
    interval: Callable[[Predictions], Interval | None]
    difference: Callable[[Predictions, Predictions], Estimate | None]
    percent: bool = False
    always_has_interval: bool = False

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower() or self.name in RESERVED:
            raise ValueError(
                f"A metric's name is an identifier in lower case other than {', '.join(RESERVED)}, not '{self.name}'."
            )
        if self.direction not in ("higher_is_better", "lower_is_better"):
            raise ValueError(f"{self.name}: expected higher_is_better or lower_is_better, got '{self.direction}'.")
        if not self.range[0] < self.range[1]:
            raise ValueError(f"{self.name}: expected a range (low, high) with low below high, got {self.range}.")

    def measure(self, predictions: Predictions) -> dict[str, Any]:
        """Return `{"value", "interval": [low, high]}` of some predictions, as JSON; either may be null."""
        value = self.value(predictions) if len(predictions) else None
        return _to_json(None if value is None else Estimate(value=value, interval=self.interval(predictions)))

    def measure_difference(self, a: Predictions, b: Predictions) -> dict[str, Any]:
        """Return `{"value", "interval": [low, high]}` of `b − a`, as JSON; either may be null.

        Raises:
            ValueError: The predictions are of different images.
        """
        if a.labels.tolist() != b.labels.tolist():
            raise ValueError(f"{self.name}: a difference needs two predictions of the same images.")
        return _to_json(self.difference(a, b) if len(a) else None)


def _to_json(estimate: Estimate | None) -> dict[str, Any]:
    """Write an estimate; JSON has no infinity and no NaN, so a number that is either counts as not measured."""
    if estimate is None or not math.isfinite(estimate.value):
        return {"value": None, "interval": None}
    interval = estimate.interval
    known = interval is not None and all(math.isfinite(limit) for limit in interval)
    return {"value": estimate.value, "interval": list(interval) if interval is not None and known else None}
