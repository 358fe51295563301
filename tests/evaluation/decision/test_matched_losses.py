from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import CLASSES
from membership_example import SUBSETS, memorised
from sklearn.metrics import log_loss, roc_auc_score

from monai_unlearn.evaluation.decision.matched_losses import MatchedLosses

TWO = {"original": 1.0, "revised": 0.0}


def test_losses_are_those_of_scikit_learn():
    table = memorised(TWO, patients=8)
    found = MatchedLosses.of(table, ("forget", "remain"))
    probabilities, labels = table.probabilities("original"), table.frame["label"]
    numbers = labels.map({name: i for i, name in enumerate(CLASSES)})
    rows = ((table.frame["part"] == "forget") & (table.frame["split"] == "train")).to_numpy()
    expected = log_loss(numbers[rows], probabilities[rows], labels=[0, 1])
    assert found.losses["original"][found.is_member].mean() == pytest.approx(expected)
    assert len(found.is_member) == 2 * 8 * 4  # forget train, and the never-trained images of three subsets


def test_only_never_trained_images_of_the_named_parts_are_compared_with():
    table = memorised(TWO, patients=8)
    both = MatchedLosses.of(table, ("forget", "remain"))
    forget = MatchedLosses.of(table, ("forget",))
    assert ((~both.is_member).sum(), (~forget.is_member).sum()) == (2 * 8 * 3, 2 * 8)


def test_another_camera_is_no_match():
    table = memorised(TWO, patients=20, device={"forget": "Old", "remain": "New"})
    found = MatchedLosses.of(table, ("forget", "remain"))
    assert found.fault("original") is None
    # Only forget test has images of the old camera.
    assert found.auc("original").patients == 2 * 20
    counts = {subset: dict.fromkeys(CLASSES, 20) for subset in SUBSETS} | {"forget_test": {"sick": 20}}
    found = MatchedLosses.of(
        memorised(TWO, patients=counts, device={"forget": "Old", "remain": "New"}), ("forget", "remain")
    )
    assert "of healthy, 0 patients have never-trained images of the same class and cohort" in found.fault("original")


def test_an_image_is_a_patient_once():
    table = memorised(TWO, patients=8)
    frame = table.frame.copy()
    member = frame["part"].eq("forget") & frame["split"].eq("train") & frame["label"].eq("sick")
    frame.loc[member, "patient"] = np.repeat([f"p{i}" for i in range(4)], 2)
    found = MatchedLosses.of(replace(table, frame=frame), ("remain",))
    assert found.counted("sick") == (4, 8)
    assert found.counted() == (12, 16)


def test_a_very_sure_network_has_a_finite_loss_and_a_broken_one_is_said():
    table = memorised({"original": 2000.0, "revised": 0.0}, patients=8)
    found = MatchedLosses.of(table, ("remain",))
    assert found.fault("original") is None
    assert found.auc("original").value == 1.0
    broken = {name: values.copy() for name, values in table.logits.items()}
    broken["revised"][np.flatnonzero(table.frame["part"] == "forget")[0]] = np.inf
    assert "no finite output of revised" in MatchedLosses.of(replace(table, logits=broken), ("remain",)).fault(
        "revised"
    )


def test_the_auc_of_a_class_is_that_of_its_images():
    table = memorised(TWO, patients=50)
    found = MatchedLosses.of(table, ("remain",))
    chosen = found.labels == "sick"
    expected = roc_auc_score(found.is_member[chosen], -found.losses["original"][chosen])
    assert found.auc("original", "sick").value == pytest.approx(expected)
    assert found.classes(CLASSES) == CLASSES


def test_without_images_there_is_nothing_to_test():
    table = memorised(TWO, patients={"remain_test": {"sick": 8}})
    assert MatchedLosses.of(table, ("remain",)).fault("original") == "there is no forget training image"
    assert MatchedLosses.of(memorised(TWO, patients={"forget_train": {"sick": 8}}), ("remain",)).fault("original")
