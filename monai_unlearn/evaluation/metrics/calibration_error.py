"""The expected calibration error: how far confidence and accuracy lie apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.metrics.metric import Estimate, Metric

if TYPE_CHECKING:
    from monai_unlearn.evaluation.predictions import Predictions

BINS = 15


def calibration_error(predictions: Predictions) -> float:
    """Return Σ_b (n_b / n) · |accuracy_b − confidence_b|, in [0, 1].

    Guo et al. 2017 (ICML), equation 3, with their 15 bins of equal width; a confidence on an edge belongs to the bin
    below. The confidence is the largest probability of an image. The error is biased upwards: of few images, even a
    perfectly calibrated network has one.
    """
    confidence, bins = predictions.probabilities.max(1).values.numpy(), np.linspace(0, 1, BINS + 1)
    error = predictions.correct.numpy() - confidence
    sums = np.bincount(np.digitize(confidence, bins[1:-1], right=True), weights=error, minlength=BINS)
    return float(np.abs(sums).sum() / len(error))


def difference(a: Predictions, b: Predictions) -> Estimate:
    """Return the error of b minus that of a; it has no interval, because of its bias."""
    return Estimate(value=calibration_error(b) - calibration_error(a))


CALIBRATION_ERROR = Metric(
    name="calibration_error",
    description="the mean distance of confidence from accuracy in 15 bins, from 0 to 1; lower is better",
    direction="lower_is_better",
    range=(0.0, 1.0),
    value=calibration_error,
    interval=lambda _: None,
    difference=difference,
)
