from .batchnorm import has_running_statistics, recalibrated
from .intervals import mcnemar, newcombe, student, wilson
from .prediction_table import Network, PredictionTable
from .predictions import Predictions, predict
from .table import (
    SubsetKey,
    SubsetPredictions,
    compare,
    differences,
    metrics_table,
    predict_subsets,
)

__all__ = [
    "Network",
    "PredictionTable",
    "Predictions",
    "SubsetKey",
    "SubsetPredictions",
    "compare",
    "differences",
    "has_running_statistics",
    "mcnemar",
    "metrics_table",
    "newcombe",
    "predict",
    "predict_subsets",
    "recalibrated",
    "student",
    "wilson",
]
