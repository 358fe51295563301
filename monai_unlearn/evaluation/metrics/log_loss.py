"""The log loss (cross-entropy): how surprised a network is by the true classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.metrics.mean_loss import mean_loss

if TYPE_CHECKING:
    from torch import Tensor

    from monai_unlearn.evaluation.predictions import Predictions


def log_losses(predictions: Predictions) -> Tensor:
    """Return −ln p of each image, p being the probability of its true class; nats, at least 0, shape (image,).

    Good 1952, J. R. Stat. Soc. B 14:107. Computed from logits in float64, so that the loss is finite even if p
    underflows; nothing is clipped.
    """
    logs = predictions.logits.double().log_softmax(1)
    return -logs.gather(1, predictions.labels[:, None])[:, 0]


LOG_LOSS = mean_loss(
    name="log_loss",
    description="the mean of −ln p, with p the probability given to the true class, in nats; lower is better",
    losses=log_losses,
    # Within it, the geometric mean of p changes by about a tenth at most.
)
