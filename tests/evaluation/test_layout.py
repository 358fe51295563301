from __future__ import annotations

from monai_unlearn.evaluation.layout import read_difference, read_value, write_difference, write_value
from monai_unlearn.evaluation.metrics import ACCURACY, registered

MEASURED = {"value": 0.5, "interval": [0.4, 0.6]}


def test_accuracy_lies_directly_in_its_entry():
    assert write_value(ACCURACY, MEASURED) == {"accuracy": 0.5, "interval": [0.4, 0.6]}
    assert write_difference(ACCURACY, MEASURED) == MEASURED


def test_further_metrics_lie_below_their_names():
    metric = registered()["log_loss"]
    assert write_value(metric, MEASURED) == write_difference(metric, MEASURED) == {"log_loss": MEASURED}


def test_what_is_written_is_read():
    other = {"value": 2.0, "interval": None}
    metric = registered()["log_loss"]
    subset = {"n": 1, **write_value(ACCURACY, MEASURED), **write_value(metric, other)}
    difference = {**write_difference(ACCURACY, MEASURED), **write_difference(metric, other), "classes": {}}
    assert read_value(ACCURACY, subset) == read_difference(ACCURACY, difference) == MEASURED
    assert read_value(metric, subset) == read_difference(metric, difference) == other
