from __future__ import annotations

import numpy as np
import pytest
import torch
from predictions_example import predictions
from sklearn.metrics import brier_score_loss

from monai_unlearn.evaluation import Predictions
from monai_unlearn.evaluation.metrics.brier_score import BRIER_SCORE


@pytest.mark.parametrize("n", [1, 50])
def test_two_classes_are_twice_what_scikit_learn_reports(n):
    """It looks at one of the two classes; the other has the same squared error."""
    found = predictions(n, classes=2)
    one = found.logits.double().softmax(1)[:, 1].numpy()
    expected = 2 * brier_score_loss(found.labels.numpy(), one, labels=[0, 1], pos_label=1)
    assert BRIER_SCORE.value(found) == pytest.approx(expected, rel=1e-9)


def test_agrees_with_the_formula_in_plain_numpy():
    found = predictions(120, classes=4)
    logits = found.logits.numpy().astype(float)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    total = 0.0
    for row, label in zip(probabilities, found.labels.tolist(), strict=True):
        total += sum((p - (k == label)) ** 2 for k, p in enumerate(row))
    assert BRIER_SCORE.value(found) == pytest.approx(total / 120, rel=1e-9)


@pytest.mark.parametrize(("label", "expected"), [(0, 0.0), (1, 2.0)])
def test_certainty_costs_nothing_or_two(label, expected):
    found = Predictions(logits=torch.tensor([[100.0, 0.0, 0.0]]), labels=torch.tensor([label]))
    assert BRIER_SCORE.value(found) == pytest.approx(expected)
