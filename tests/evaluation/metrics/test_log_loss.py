from __future__ import annotations

import pytest
import torch
from predictions_example import predictions
from sklearn.metrics import log_loss

from monai_unlearn.evaluation import Predictions
from monai_unlearn.evaluation.metrics.log_loss import LOG_LOSS


@pytest.mark.parametrize(("n", "classes"), [(1, 2), (50, 2), (200, 5)])
def test_agrees_with_scikit_learn(n, classes):
    found = predictions(n, classes=classes)
    probabilities = found.logits.double().softmax(1).numpy()
    expected = log_loss(found.labels.numpy(), probabilities, labels=list(range(classes)))
    assert LOG_LOSS.value(found) == pytest.approx(expected, rel=1e-9)


def test_a_certain_error_has_a_finite_loss():
    found = Predictions(logits=torch.tensor([[2000.0, 0.0]]), labels=torch.tensor([1]))
    assert LOG_LOSS.value(found) == pytest.approx(2000)
