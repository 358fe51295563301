"""Measurement: predictions, metrics with intervals, the BatchNorm control, comparisons, verdicts. Loads torch."""

from monai_unlearn.evaluation.batchnorm import has_running_statistics, recalibrated
from monai_unlearn.evaluation.criteria import Criterion, accepted, read_criteria
from monai_unlearn.evaluation.intervals import mcnemar, newcombe, student, wilson
from monai_unlearn.evaluation.predictions import Predictions, predict
from monai_unlearn.evaluation.table import (
    SubsetKey,
    SubsetPredictions,
    compare,
    differences,
    metrics_table,
    predict_subsets,
)

__all__ = [
    "Criterion",
    "Predictions",
    "SubsetKey",
    "SubsetPredictions",
    "accepted",
    "compare",
    "differences",
    "has_running_statistics",
    "mcnemar",
    "metrics_table",
    "newcombe",
    "predict",
    "predict_subsets",
    "read_criteria",
    "recalibrated",
    "student",
    "wilson",
]
