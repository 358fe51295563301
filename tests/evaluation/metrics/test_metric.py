from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from predictions_example import predictions

from monai_unlearn.evaluation import Predictions
from monai_unlearn.evaluation.metrics import ACCURACY, Estimate

NOTHING = Predictions(logits=torch.zeros(0, 0), labels=torch.zeros(0, dtype=torch.long))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Log loss"}, "identifier in lower case .*, not 'Log loss'"),
        ({"name": "logLoss"}, "identifier in lower case"),
        ({"name": "classes"}, "other than n, correct, value, interval, classes, not 'classes'"),
        ({"direction": "up"}, "expected higher_is_better or lower_is_better, got 'up'"),
        ({"range": (1.0, 0.0)}, r"low below high, got \(1.0, 0.0\)"),
        ({"range": (0.0, math.nan)}, "low below high"),
        ({"range": (1.0, 1.0)}, "low below high"),
    ],
)
def test_refuses_a_record_that_makes_no_sense(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(ACCURACY, **changes)


def test_measures_value_and_interval():
    metric = replace(ACCURACY, value=lambda _: 2.0, interval=lambda _: (1.0, 3.0))
    assert metric.measure(predictions(1)) == {"value": 2.0, "interval": [1.0, 3.0]}


def test_what_has_no_images_has_no_value():
    """The metric's functions are not even asked."""
    metric = replace(ACCURACY, value=None, interval=None, difference=None)
    assert metric.measure(NOTHING) == metric.measure_difference(NOTHING, NOTHING) == {"value": None, "interval": None}


@pytest.mark.parametrize(
    ("value", "interval", "expected"),
    [
        (None, None, {"value": None, "interval": None}),
        (math.nan, (0.0, 1.0), {"value": None, "interval": None}),
        (math.inf, None, {"value": None, "interval": None}),
        (1.0, (0.0, math.inf), {"value": 1.0, "interval": None}),
        (1.0, None, {"value": 1.0, "interval": None}),
    ],
)
def test_what_json_cannot_hold_counts_as_not_measured(value, interval, expected):
    estimate = None if value is None else Estimate(value=value, interval=interval)
    metric = replace(ACCURACY, value=lambda _: value, interval=lambda _: interval, difference=lambda *_: estimate)
    some = predictions(2)
    assert metric.measure(some) == metric.measure_difference(some, some) == expected


def test_a_difference_needs_the_same_images():
    with pytest.raises(ValueError, match="accuracy: a difference needs two predictions of the same images"):
        ACCURACY.measure_difference(predictions(3), predictions(4))
