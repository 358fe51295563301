"""Metrics that are a share of some images: one count gives value, interval and difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.intervals import newcombe, wilson
from monai_unlearn.evaluation.metrics.metric import Direction, Estimate, Interval, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from monai_unlearn.evaluation.predictions import Predictions


def _independent(count: Callable[[Predictions], tuple[int, int]], predictions: Predictions) -> tuple[int, int]:
    """Return counts as an interval may use them: the decisions on several labels of an image count as one.

    That they are wholly dependent is the worst case, which errs on the side of doubt.
    """
    counted, n = count(predictions)
    fewer = max(n // predictions.tasks, min(n, 1))
    return (counted, n) if fewer == n else (round(counted / n * fewer), fewer)


def share_metric(
    *,
    name: str,
    description: str,
    count: Callable[[Predictions], tuple[int, int]],
    direction: Direction = "higher_is_better",
    always_has_interval: bool = False,
) -> Metric:
    """Return the metric of a share in [0, 1], with Wilson's interval, and Newcombe's for a difference.

    Two networks see the same images, but their agreement is not used: the interval of a difference is the wider one for
    independent samples, which errs on the side of doubt.

    Args:
        name: As in `Metric`.
        description: As in `Metric`.
        count: Returns how many images count, and of how many; the share is undefined where these are none.
        direction: As in `Metric`.
        always_has_interval: As in `Metric`.
    """

    def value(predictions: Predictions) -> float | None:
        counted, n = count(predictions)
        return counted / n if n else None

    def interval(predictions: Predictions) -> Interval | None:
        return wilson(*_independent(count, predictions))

    def difference(a: Predictions, b: Predictions) -> Estimate | None:
        before, after = value(a), value(b)
        if before is None or after is None:
            return None
        return Estimate(value=after - before, interval=newcombe(_independent(count, a), _independent(count, b)))

    return Metric(
        name=name,
        description=description,
        direction=direction,
        range=(0.0, 1.0),
        value=value,
        interval=interval,
        difference=difference,
        percent=True,
        always_has_interval=always_has_interval,
    )
