from __future__ import annotations

import numpy as np
import pytest
from audit_example import audited, frame, network, retrained
from sklearn.metrics import accuracy_score

from monai_unlearn.evaluation.audits.tug_of_war import measure, tug_of_war

ROWS = frame()
SUBSETS = ("forget_train", "remain_train", "remain_test")


def subject(seeds=3):
    logits = {"original": network(ROWS, seed=1, strength={"forget_train": 4.0}), "revised": network(ROWS, seed=2)}
    return audited(ROWS, {**logits, **retrained(ROWS, seeds)})


def accuracy(found, name, subset):
    rows = found.rows(subset)
    return accuracy_score(found.labels[rows], found.table.logits[name][rows].argmax(1))


def test_it_is_the_product_over_three_subsets():
    found = subject()
    (row,) = measure(found).rows
    for name, figure in (("original", row.original), ("revised", row.revised), ("reference", row.retrained[0])):
        others = [one for one in found.retrained if one != name]
        gaps = [
            accuracy(found, name, subset) - np.mean([accuracy(found, one, subset) for one in others])
            for subset in SUBSETS
        ]
        assert figure.value == pytest.approx(np.prod([1 - abs(gap) for gap in gaps]))
    assert row.original.interval[1] < row.revised.interval[0]


def test_by_hand():
    assert tug_of_war(np.array([0.9, 0.8, 0.5]), np.array([0.5, 0.8, 1.0])) == pytest.approx(0.6 * 0.5)


def test_without_retrained_networks_or_images_it_is_not_measurable():
    assert measure(subject(0)).status == "not_measurable"
    (one,) = measure(subject(1)).rows[0].retrained
    assert one.value is None
    rows = frame({"forget_train": 3, "remain_train": 3})
    few = audited(rows, {"original": network(rows, seed=1), "revised": network(rows, seed=2)})
    assert measure(few).why == "There are no images on remain test."
