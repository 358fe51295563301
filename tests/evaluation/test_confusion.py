from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, everywhere, table
from sklearn.metrics import confusion_matrix

from monai_unlearn.evaluation.confusion import confusion, confusion_difference

PATIENTS = {"forget_test": {"healthy": 40, "sick": 25}, "remain_test": {"healthy": 30}}
SHARES = {"original": everywhere(binary(0.9, 0.8)), "revised": everywhere(binary(0.7, 0.4))}
TABLE = table(SHARES, patients=PATIENTS)


def chosen(part):
    return (TABLE.frame["part"] == part).to_numpy()


def by_scikit_learn(network, part, **options):
    rows = chosen(part)
    predicted = np.array(TABLE.class_names)[TABLE.probabilities(network)[rows].argmax(1)]
    return confusion_matrix(TABLE.frame["label"][rows], predicted, labels=list(TABLE.class_names), **options)


@pytest.mark.parametrize("network", ["original", "revised"])
def test_counts_agree_with_scikit_learn(network):
    found = confusion(TABLE, network, part="forget", split="test")
    assert found["classes"] == ["healthy", "sick"]
    assert found["n"] == [40, 25]
    assert found["counts"] == by_scikit_learn(network, "forget").tolist()


def test_soft_rows_are_mean_probabilities():
    found = confusion(TABLE, "revised", part="forget", split="test")
    sick = chosen("forget") & (TABLE.frame["label"] == "sick").to_numpy()
    assert found["soft"][1] == pytest.approx(TABLE.probabilities("revised")[sick].mean(0).tolist())
    assert sum(found["soft"][0]) == pytest.approx(1)


def test_difference():
    found = confusion_difference(TABLE, "original", "revised", part="forget", split="test")
    before, after = (by_scikit_learn(name, "forget", normalize="true") for name in ("original", "revised"))
    assert np.array(found["shares"]) == pytest.approx(after - before)
    first, second = (confusion(TABLE, name, part="forget", split="test") for name in ("original", "revised"))
    assert np.array(found["soft"]) == pytest.approx(np.array(second["soft"]) - np.array(first["soft"]))


def test_a_class_without_images_has_no_row():
    assert confusion(TABLE, "revised", part="remain", split="test")["soft"][1] is None
    found = confusion_difference(TABLE, "original", "revised", part="remain", split="test")
    assert found["shares"][1] is None
    assert found["soft"][1] is None


def test_outputs_that_are_not_finite_have_no_mean():
    logits = {**TABLE.logits, "revised": np.full_like(TABLE.logits["revised"], np.nan)}
    found = confusion(replace(TABLE, logits=logits), "revised", part="forget", split="test")
    assert found["soft"][0] == [None, None]
    assert found["counts"] == [[0, 0], [0, 0]]
    assert found["n"] == [40, 25]
