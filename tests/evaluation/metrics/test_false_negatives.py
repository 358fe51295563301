from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from predictions_example import predictions
from sklearn.metrics import recall_score

from monai_unlearn.evaluation import newcombe, wilson
from monai_unlearn.evaluation.metrics.false_negatives import FALSE_NEGATIVES


def by_scikit_learn(found, healthy=(0,)):
    diseased = [int(label) not in healthy for label in found.labels]
    detected = [int(label) not in healthy for label in found.logits.argmax(1)]
    return 1 - recall_score(diseased, detected)


@pytest.mark.parametrize("healthy", [(0,), (1,), (0, 2)])
def test_agrees_with_scikit_learn(healthy):
    found = replace(predictions(200), healthy=healthy)
    assert FALSE_NEGATIVES.value(found) == pytest.approx(by_scikit_learn(found, healthy))


def test_a_disease_taken_for_another_is_not_missed():
    found = replace(predictions(3), labels=torch.tensor([1, 1, 2]), logits=torch.eye(3)[[2, 0, 2]], healthy=(0,))
    assert FALSE_NEGATIVES.measure(found) == {"value": 1 / 3, "interval": list(wilson(1, 3))}
    assert FALSE_NEGATIVES.measure(found.of_class(1)) == {"value": 0.5, "interval": list(wilson(1, 2))}


def test_difference():
    before, after = replace(predictions(100), healthy=(0,)), replace(predictions(100, seed=1), healthy=(0,))
    n = int((before.labels != 0).sum())
    counts = [(round(by_scikit_learn(one) * n), n) for one in (before, after)]
    found = FALSE_NEGATIVES.difference(before, after)
    assert found.value == pytest.approx(by_scikit_learn(after) - by_scikit_learn(before))
    assert found.interval == newcombe(*counts)


def test_no_value_without_a_healthy_class_or_a_disease():
    found = predictions(50)
    assert FALSE_NEGATIVES.measure(found) == {"value": None, "interval": None}
    healthy = replace(found, healthy=(0,)).of_class(0)
    assert FALSE_NEGATIVES.measure(healthy) == {"value": None, "interval": None}
    assert FALSE_NEGATIVES.measure_difference(healthy, healthy) == {"value": None, "interval": None}
