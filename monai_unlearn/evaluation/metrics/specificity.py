"""The specificity: of the healthy images, the share called healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.metrics.share import share_metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions


def _count(predictions: Predictions) -> tuple[int, int]:
    """Return how many healthy images are called healthy, and how many there are."""
    healthy = predictions.is_healthy
    return int((healthy & predictions.called_healthy).sum()), int(healthy.sum())


SPECIFICITY = share_metric(
    name="specificity",
    description="the share of healthy images that are called healthy, in percent; higher is better",
    count=_count,
)
