from __future__ import annotations

from dataclasses import replace

import pytest
from predictions_example import predictions
from sklearn.metrics import recall_score

from monai_unlearn.evaluation import newcombe, wilson
from monai_unlearn.evaluation.metrics.specificity import SPECIFICITY


def by_scikit_learn(found, healthy=(0,)):
    """The recall of the negative class."""
    diseased = [int(label) not in healthy for label in found.labels]
    detected = [int(label) not in healthy for label in found.logits.argmax(1)]
    return recall_score(diseased, detected, pos_label=False)


@pytest.mark.parametrize("healthy", [(0,), (1, 2)])
def test_agrees_with_scikit_learn(healthy):
    found = replace(predictions(200), healthy=healthy)
    n = sum(int(label) in healthy for label in found.labels)
    assert SPECIFICITY.value(found) == pytest.approx(by_scikit_learn(found, healthy))
    assert SPECIFICITY.interval(found) == wilson(round(by_scikit_learn(found, healthy) * n), n)


def test_difference():
    before, after = replace(predictions(100), healthy=(0,)), replace(predictions(100, seed=1), healthy=(0,))
    n = int((before.labels == 0).sum())
    counts = [(round(by_scikit_learn(one) * n), n) for one in (before, after)]
    found = SPECIFICITY.difference(before, after)
    assert found.value == pytest.approx(by_scikit_learn(after) - by_scikit_learn(before))
    assert found.interval == newcombe(*counts)


def test_no_value_without_a_healthy_class_or_image():
    found = predictions(50)
    assert SPECIFICITY.measure(found) == {"value": None, "interval": None}
    diseased = replace(found, healthy=(0,)).of_class(1)
    assert SPECIFICITY.measure(diseased) == {"value": None, "interval": None}
    assert SPECIFICITY.measure_difference(diseased, diseased) == {"value": None, "interval": None}
