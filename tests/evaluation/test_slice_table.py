from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, everywhere, table
from sklearn.metrics import accuracy_score, recall_score

from monai_unlearn.evaluation.metrics import registered
from monai_unlearn.evaluation.slice_table import predictions_of, slice_table
from monai_unlearn.evaluation.slices import MIN_PATIENTS

SHARES = {"original": everywhere(binary(0.9, 0.8)), "revised": everywhere(binary(0.7, 0.4))}
PLAIN = table(SHARES, patients={"forget_test": {"healthy": 30, "sick": 30}, "remain_test": {"sick": 40}}, eyes=2)
SEX = np.where(np.arange(len(PLAIN.frame)) % 3 == 0, "F", "M").astype(object)
DEVICE = np.where(np.arange(len(PLAIN.frame)) < 2 * (MIN_PATIENTS - 1), "rare", "usual").astype(object)
TABLE = replace(PLAIN, frame=PLAIN.frame.assign(**{"slice:sex": SEX, "slice:device": DEVICE}))


def of_forget(**options):
    return slice_table(TABLE, "revised", part="forget", split="test", healthy_classes=["healthy"], **options)


def test_metrics_of_a_slice_agree_with_scikit_learn():
    found = of_forget()["sex"]["F"]
    chosen = ((TABLE.frame["part"] == "forget") & (TABLE.frame["slice:sex"] == "F")).to_numpy()
    labels = TABLE.frame["label"][chosen]
    predicted = np.array(TABLE.class_names)[TABLE.probabilities("revised")[chosen].argmax(1)]
    assert found["n"] == chosen.sum()
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert found["sensitivity"]["value"] == pytest.approx(recall_score(labels, predicted, pos_label="sick"))
    assert found["specificity"]["value"] == pytest.approx(recall_score(labels, predicted, pos_label="healthy"))
    assert set(registered()) <= set(found)


def test_a_slice_with_few_patients_has_counts_alone():
    rare = of_forget()["device"]["rare"]
    assert rare == {"n": 2 * (MIN_PATIENTS - 1), "patients": MIN_PATIENTS - 1}


def test_outputs_that_are_not_finite_have_counts_alone():
    logits = {**TABLE.logits, "revised": np.full_like(TABLE.logits["revised"], np.nan)}
    found = slice_table(replace(TABLE, logits=logits), "revised", part="forget", split="test")
    assert set(found["sex"]["F"]) == {"n", "patients"}


def test_predictions_of_rows():
    found = predictions_of(TABLE, "revised", np.array([3, 1]), healthy_classes=["healthy"])
    assert found.logits.numpy() == pytest.approx(TABLE.logits["revised"][[3, 1]])
    assert found.labels.tolist() == [0, 0]
    assert found.healthy == (0,)
