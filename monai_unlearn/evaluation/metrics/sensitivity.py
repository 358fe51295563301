"""The sensitivity: of the images of a disease, the share not called healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.metrics.share import share_metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions


def _count(predictions: Predictions) -> tuple[int, int]:
    """Return how many diseased images are not called healthy, and how many there are.

    None where no class is declared healthy. An image that is taken for another disease is not missed.
    """
    if not predictions.healthy:
        return 0, 0
    diseased = ~predictions.is_healthy
    return int((diseased & ~predictions.called_healthy).sum()), int(diseased.sum())


SENSITIVITY = share_metric(
    name="sensitivity",
    description="the share of images of a disease that are not called healthy, in percent; higher is better",
    count=_count,
)
