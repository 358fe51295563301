from __future__ import annotations

import numpy as np
import pytest
import torch
from predictions_example import predictions
from sklearn.metrics import balanced_accuracy_score

from monai_unlearn.evaluation import Predictions, wilson
from monai_unlearn.evaluation.metrics.balanced_accuracy import BALANCED_ACCURACY


def by_scikit_learn(found):
    return balanced_accuracy_score(found.labels.numpy(), found.logits.argmax(1).numpy())


@pytest.mark.parametrize("classes", [2, 5])
def test_agrees_with_scikit_learn(classes):
    found = predictions(300, classes=classes)
    assert BALANCED_ACCURACY.value(found) == pytest.approx(by_scikit_learn(found))


def test_of_one_class_it_is_its_recall_with_its_interval():
    found = predictions(90).of_class(1)
    correct, n = int(found.correct.sum()), len(found)
    assert BALANCED_ACCURACY.measure(found) == {
        "value": correct / n,
        "interval": pytest.approx(list(wilson(correct, n))),
    }


def test_a_difference_is_that_of_the_values():
    before, after = predictions(200), predictions(200, seed=1)
    found = BALANCED_ACCURACY.difference(before, after)
    assert found.value == pytest.approx(by_scikit_learn(after) - by_scikit_learn(before))
    assert found.interval[0] < found.value < found.interval[1]


def test_intervals_cover():
    """Recalls of 0.9 and 0.6 on 60 and 20 images."""
    rng, covered = np.random.default_rng(0), 0
    labels = torch.tensor([0] * 60 + [1] * 20)
    for _ in range(400):
        correct = rng.random(80) < np.where(labels.numpy() == 0, 0.9, 0.6)
        predicted = torch.where(torch.from_numpy(correct), labels, 1 - labels)
        low, high = BALANCED_ACCURACY.interval(Predictions(logits=torch.eye(2)[predicted], labels=labels))
        covered += low <= 0.75 <= high
    assert 0.92 <= covered / 400 <= 0.99
