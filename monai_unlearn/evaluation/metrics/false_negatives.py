"""The false negatives: of the images of a disease, the share called healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.metrics.share import share_metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions


def _count(predictions: Predictions) -> tuple[int, int]:
    """Return how many diseased images are called healthy, and how many there are.

    None where no class is declared healthy. An image that is taken for another disease is not missed.
    """
    if not predictions.healthy:
        return 0, 0
    diseased = ~predictions.is_healthy
    return int((diseased & predictions.called_healthy).sum()), int(diseased.sum())


FALSE_NEGATIVES = share_metric(
    name="false_negatives",
    description="the share of images of a disease that are called healthy, in percent; lower is better",
    count=_count,
    direction="lower_is_better",
)
