from __future__ import annotations

import numpy as np
import pytest
import torch
from predictions_example import predictions

from monai_unlearn.evaluation import Predictions
from monai_unlearn.evaluation.metrics.calibration_error import BINS, CALIBRATION_ERROR


def by_hand(found):
    """The definition, bin by bin."""
    confidence, correct = found.probabilities.max(1).values.numpy(), found.correct.numpy()
    total = 0.0
    for number in range(BINS):
        inside = (confidence > number / BINS) & (confidence <= (number + 1) / BINS)
        if inside.any():
            total += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return total


@pytest.mark.parametrize("classes", [2, 5])
def test_agrees_with_the_definition(classes):
    found = predictions(400, classes=classes)
    assert CALIBRATION_ERROR.value(found) == pytest.approx(by_hand(found))


def test_a_calibrated_network_has_about_none_and_a_sure_one_that_errs_has_one():
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(0, 2, (20_000, 2)))
    labels = torch.from_numpy((rng.random(20_000) < logits.softmax(1)[:, 1].numpy()).astype(np.int64))
    assert CALIBRATION_ERROR.value(Predictions(logits=logits, labels=labels)) < 0.01
    wrong = Predictions(logits=torch.tensor([[50.0, 0.0]]), labels=torch.tensor([1]))
    assert CALIBRATION_ERROR.value(wrong) == pytest.approx(1)


def test_difference_has_no_interval():
    before, after = predictions(100), predictions(100, seed=1, strength=3.0)
    found = CALIBRATION_ERROR.difference(before, after)
    assert found.value == pytest.approx(by_hand(after) - by_hand(before))
    assert found.interval is None
