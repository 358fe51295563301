"""Metrics that are the mean of per-image losses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.intervals import student
from monai_unlearn.evaluation.metrics.metric import Estimate, Interval, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from monai_unlearn.evaluation.predictions import Predictions


def mean_loss(
    *,
    name: str,
    description: str,
    losses: Callable[[Predictions], Tensor],
    highest: float = math.inf,
) -> Metric:
    """Make a metric from per-image losses; lower is better.

    Intervals are Student's, see `student`: below 30 images there is none. The interval of a difference is that of
    the paired losses, since both networks see the same images.

    Args:
        name: See `Metric`.
        description: See `Metric`.
        losses: Returns the loss of each image, float64, shape (image,), at least 0.
        highest: The largest possible loss.
    """

    def value(predictions: Predictions) -> float:
        return float(losses(predictions).mean())

    def interval(predictions: Predictions) -> Interval | None:
        found = student(predictions.by_image(losses(predictions)).numpy())
        # The approximation may reach beyond what a mean of losses can be.
        return None if found is None else (max(0.0, found[0]), min(highest, found[1]))

    def difference(a: Predictions, b: Predictions) -> Estimate:
        paired = losses(b) - losses(a)
        return Estimate(value=float(paired.mean()), interval=student(a.by_image(paired).numpy()))

    return Metric(
        name=name,
        description=description,
        direction="lower_is_better",
        range=(0.0, highest),
        value=value,
        interval=interval,
        difference=difference,
    )
