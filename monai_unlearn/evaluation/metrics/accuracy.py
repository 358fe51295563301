"""The share of images classified correctly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.metrics.share import share_metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions


def _count(predictions: Predictions) -> tuple[int, int]:
    return int(predictions.correct.sum()), len(predictions)


ACCURACY = share_metric(
    name="accuracy",
    description="the share of images classified correctly, in percent; higher is better",
    count=_count,
    always_has_interval=True,
)
