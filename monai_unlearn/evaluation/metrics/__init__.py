"""Metrics, one file each. To add one, write its file and list its record here: nothing else has to change.

Documents show metrics in this order. Accuracy is first: it is the one whose figures are shown class by class.
"""

from monai_unlearn.evaluation.metrics.accuracy import ACCURACY
from monai_unlearn.evaluation.metrics.auroc import AUROC
from monai_unlearn.evaluation.metrics.balanced_accuracy import BALANCED_ACCURACY
from monai_unlearn.evaluation.metrics.brier_score import BRIER_SCORE
from monai_unlearn.evaluation.metrics.calibration_error import CALIBRATION_ERROR
from monai_unlearn.evaluation.metrics.false_negatives import FALSE_NEGATIVES
from monai_unlearn.evaluation.metrics.log_loss import LOG_LOSS
from monai_unlearn.evaluation.metrics.metric import Estimate, Metric
from monai_unlearn.evaluation.metrics.registry import register, registered
from monai_unlearn.evaluation.metrics.sensitivity import SENSITIVITY
from monai_unlearn.evaluation.metrics.specificity import SPECIFICITY

for _metric in (
    ACCURACY,
    SENSITIVITY,
    SPECIFICITY,
    FALSE_NEGATIVES,
    BALANCED_ACCURACY,
    AUROC,
    LOG_LOSS,
    BRIER_SCORE,
    CALIBRATION_ERROR,
):
    register(_metric)

__all__ = ["ACCURACY", "Estimate", "Metric", "register", "registered"]
