"""The Brier score: the squared error of the predicted probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.metrics.mean_loss import mean_loss

if TYPE_CHECKING:
    from torch import Tensor

    from monai_unlearn.evaluation.predictions import Predictions


def brier_scores(predictions: Predictions) -> Tensor:
    """Return Σ_k (p_k − o_k)² of each image, in [0, 2], shape (image,); o_k is 1 for the true class, else 0.

    Brier 1950, Monthly Weather Review 78:1, in its original form, which sums over all classes. For two classes it is
    twice the form that uses one class only.
    """
    probabilities = predictions.probabilities
    truth = probabilities.new_zeros(probabilities.shape).scatter(1, predictions.labels[:, None], 1)
    return (probabilities - truth).square().sum(1)


BRIER_SCORE = mean_loss(
    name="brier_score",
    description="the mean of Σ (p − o)² over all classes, o being 1 for the true class, from 0 to 2; lower is better",
    losses=brier_scores,
    highest=2.0,
    # A confident error costs 2: with confident predictions, 0.1 is five points of accuracy.
)
