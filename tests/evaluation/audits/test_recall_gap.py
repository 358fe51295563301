from __future__ import annotations

import numpy as np
import pytest
from audit_example import audited, frame, network, retrained
from sklearn.metrics import recall_score

from monai_unlearn.evaluation.audits.recall_gap import measure

ROWS = frame(classes=3)
STRENGTHS = {"forget_train": 3.0, "forget_test": 0.2}


@pytest.fixture(scope="module")
def subject():
    logits = {
        "original": network(ROWS, seed=1, strength=STRENGTHS, classes=3),
        "revised": network(ROWS, seed=2, classes=3),
        **retrained(ROWS, classes=3),
    }
    return audited(ROWS, logits)


def expected(subject, name, others, subset):
    rows = subject.rows(subset)
    labels = subject.labels[rows]
    recalls = {
        one: recall_score(labels, subject.table.logits[one][rows].argmax(1), average=None) for one in (name, *others)
    }
    shares = np.bincount(labels) / len(labels)
    return float(shares @ np.abs(recalls[name] - np.mean([recalls[one] for one in others], axis=0)))


def test_the_gap_is_that_of_the_recalls_of_sklearn(subject):
    rows = {row.subset: row for row in measure(subject).rows}
    assert set(rows) == {"forget_train", "forget_test", "remain_train", "remain_validation", "remain_test"}
    for subset, row in rows.items():
        references = subject.retrained
        assert row.original.value == pytest.approx(expected(subject, "original", references, subset))
        assert row.revised.value == pytest.approx(expected(subject, "revised", references, subset))
        assert row.retrained[1].value == pytest.approx(
            expected(subject, "reference_2", ("reference", "reference_3"), subset)
        )
    assert rows["forget_train"].original.interval[0] > rows["forget_train"].revised.value
    assert rows["forget_train"].place in ("below", "within", "above")


def test_the_interval_is_over_patients(subject):
    row = next(row for row in measure(subject).rows if row.subset == "forget_train")
    low, high = row.original.interval
    assert low < row.original.value < high


def test_without_others_there_is_no_gap():
    logits = {"original": network(ROWS, seed=1, classes=3), "revised": network(ROWS, seed=2, classes=3)}
    assert measure(audited(ROWS, logits)).status == "not_measurable"
    (one,) = measure(audited(ROWS, {**logits, **retrained(ROWS, 1, classes=3)})).rows[0].retrained
    assert one.value is None
