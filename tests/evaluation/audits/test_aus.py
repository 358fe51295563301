from __future__ import annotations

import numpy as np
import pytest
from audit_example import audited, frame, network, retrained
from sklearn.metrics import accuracy_score

from monai_unlearn.evaluation.audits.aus import aus, measure, removes_classes

ROWS = frame()


def subject(rows=ROWS):
    logits = {"original": network(rows, seed=1, strength={"forget_train": 4.0}), "revised": network(rows, seed=2)}
    return audited(rows, {**logits, **retrained(rows)})


def accuracy(found, name, subset):
    rows = found.rows(subset)
    return accuracy_score(found.labels[rows], found.table.logits[name][rows].argmax(1))


def test_images_of_classes_that_stay_should_be_as_test_images():
    found = subject()
    (row,) = measure(found).rows
    forgotten, tested = (accuracy(found, "revised", subset) for subset in ("forget_train", "remain_test"))
    kept = 1 - (accuracy(found, "original", "remain_test") - tested)
    assert row.revised.value == pytest.approx(kept / (1 + abs(forgotten - tested)))
    assert len(row.retrained) == 3
    assert row.original.value < row.revised.value
    assert row.revised.interval[0] < row.revised.value < row.revised.interval[1]


def test_forgotten_classes_should_have_no_accuracy_left():
    rows = ROWS[(ROWS["label"] == "sick") == (ROWS["part"] == "forget")].reset_index(drop=True)
    found = subject(rows)
    assert removes_classes(found)
    assert not removes_classes(subject())
    (row,) = measure(found).rows
    kept = 1 - (accuracy(found, "original", "remain_test") - accuracy(found, "revised", "remain_test"))
    assert row.revised.value == pytest.approx(kept / (1 + accuracy(found, "revised", "forget_train")))
    assert measure(found).facts == {"whole_classes": True}


def test_by_hand():
    found = aus(np.array([0.25, 1.0, 0.75]), np.array([1.0, 1.0, 0.95]), whole=False)
    assert found == pytest.approx(0.8 / 1.5)


def test_without_images_it_is_not_measurable():
    rows = frame({"forget_train": 3, "remain_train": 3})
    few = audited(rows, {"original": network(rows, seed=1), "revised": network(rows, seed=2)})
    assert measure(few).status == "not_measurable"
