from __future__ import annotations

import numpy as np
import pytest
from audit_example import audited, frame, network
from sklearn.metrics import accuracy_score

from monai_unlearn.evaluation.audits.accuracies import lacking, scored

ROWS = frame()
SUBJECT = audited(ROWS, {"original": network(ROWS, seed=1), "revised": network(ROWS, seed=2, strength=2.0)})


@pytest.mark.parametrize(("number", "subset"), list(enumerate(["forget_train", "remain_train", "remain_test"])))
def test_accuracies_are_those_of_sklearn(number, subset):
    rows = SUBJECT.rows(subset)
    found = scored(SUBJECT, ("original", "revised"), lambda accuracy: accuracy[:, 1, number])
    expected = accuracy_score(SUBJECT.labels[rows], SUBJECT.table.logits["revised"][rows].argmax(1))
    assert found.value == pytest.approx(expected)
    assert found.interval[0] < expected < found.interval[1]


def test_the_interval_is_wider_than_that_of_images():
    """Both eyes have the same truth and nearly the same difficulty only where made so: here they are independent."""
    found = scored(SUBJECT, ("original",), lambda accuracy: accuracy[:, 0, 2])
    width = 2 * 1.96 * np.sqrt(found.value * (1 - found.value) / 200)
    assert found.interval[1] - found.interval[0] == pytest.approx(width, rel=0.25)


def test_missing_subsets_are_named():
    assert lacking(SUBJECT) is None
    rows = frame({"forget_train": 3, "remain_train": 3})
    few = audited(rows, {"original": network(rows, seed=1), "revised": network(rows, seed=2)})
    assert lacking(few) == "There are no images on remain test."
