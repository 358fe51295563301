"""Metrics, one file each. To add one, write its file and list its record here: nothing else has to change.

Documents show metrics in this order. Accuracy is first: it is the one whose figures are shown class by class.
"""

from monai_unlearn.evaluation.metrics.accuracy import ACCURACY
from monai_unlearn.evaluation.metrics.brier_score import BRIER_SCORE
from monai_unlearn.evaluation.metrics.log_loss import LOG_LOSS
from monai_unlearn.evaluation.metrics.metric import Estimate, Metric
from monai_unlearn.evaluation.metrics.registry import register, registered

for _metric in (ACCURACY, LOG_LOSS, BRIER_SCORE):
    register(_metric)

__all__ = ["ACCURACY", "Estimate", "Metric", "register", "registered"]
