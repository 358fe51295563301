"""Honest measurement: accuracies with intervals, the BatchNorm control, comparisons. Loads torch."""

from monai_unlearn.evaluation.accuracy import Predictions, accuracy, predict
from monai_unlearn.evaluation.batchnorm import has_running_statistics, recalibrated
from monai_unlearn.evaluation.criteria import Criterion, accepted, read_criteria
from monai_unlearn.evaluation.intervals import changed, difference, wilson
from monai_unlearn.evaluation.table import accuracy_table, compare, gap, gaps, predict_subsets

__all__ = [
    "Criterion",
    "Predictions",
    "accepted",
    "accuracy",
    "accuracy_table",
    "changed",
    "compare",
    "difference",
    "gap",
    "gaps",
    "has_running_statistics",
    "predict",
    "predict_subsets",
    "read_criteria",
    "recalibrated",
    "wilson",
]
