from __future__ import annotations

import numpy as np
import pytest
from predictions_example import predictions
from sklearn.metrics import accuracy_score

from monai_unlearn.evaluation import newcombe, wilson
from monai_unlearn.evaluation.metrics import ACCURACY


@pytest.mark.parametrize(("n", "strength"), [(1, 5.0), (7, 0.0), (200, 1.0)])
def test_agrees_with_scikit_learn(n, strength):
    found = predictions(n, strength=strength)
    expected = accuracy_score(found.labels.numpy(), np.argmax(found.logits.numpy(), axis=1))
    measured = ACCURACY.measure(found)
    assert measured["value"] == pytest.approx(expected, abs=1e-12)
    assert measured["interval"] == list(wilson(round(expected * n), n))


def test_a_difference_is_b_minus_a_with_newcombes_interval():
    a, b = predictions(80, seed=1, strength=0.0), predictions(80, seed=2, strength=3.0)
    counts = [(int(each.correct.sum()), 80) for each in (a, b)]
    found = ACCURACY.difference(a, b)
    assert found.value == counts[1][0] / 80 - counts[0][0] / 80 > 0
    assert found.interval == newcombe(*counts)
    assert found.interval[0] < found.value < found.interval[1]
