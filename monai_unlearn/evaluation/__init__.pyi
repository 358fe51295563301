from .batchnorm import has_running_statistics, recalibrated
from .criteria import Criterion, accepted, read_criteria
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
    "Criterion",
    "Network",
    "PredictionTable",
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
