from __future__ import annotations

import math

import pytest
from evidence_example import CLASSES, evidence, predictions, subset

from monai_unlearn.evaluation.decision import Decision
from monai_unlearn.evaluation.findings import forgetting

FULL = {"forget": 90, "remain": 90}
# Two logits of 1 and 0: the probability of the true class of an image that is misclassified, beside one that is not.
SWING = (math.e - 1) / (math.e + 1)


def test_forgetting_in_the_weights_survives_recalibration():
    found = evidence(
        original=FULL, revised={"forget": 50, "remain": 90}, revised_recalibrated={"forget": 54, "remain": 90}
    )["forgetting"]
    assert found["subsets"] == ["forget_train", "forget_test"]
    # 40 of 100 images in each subset go from 0.73 to 0.27 of the probability.
    assert found["change"] == pytest.approx(-0.4 * SWING)
    assert found["surviving_recalibration"] == pytest.approx(0.9)
    assert found["artefact"] is False


def test_forgetting_that_vanishes_is_an_artefact():
    found = evidence(
        original=FULL, revised={"forget": 10, "remain": 90}, revised_recalibrated={"forget": 88, "remain": 90}
    )
    assert found["forgetting"]["artefact"] is True


@pytest.mark.parametrize("revised", [90, 95])
def test_without_forgetting_there_is_nothing_to_survive(revised):
    models = {"forget": revised, "remain": 90}
    found = evidence(original=FULL, revised=models, revised_recalibrated=models)["forgetting"]
    assert found["surviving_recalibration"] is None
    assert found["artefact"] is False


@pytest.mark.parametrize(("left", "artefact"), [(75, False), (76, True), (74, False)])
def test_half_of_the_forgetting_must_survive(left, artefact):
    """100 of 100 images are classified correctly before, 50 after: half of that is 25."""
    found = evidence(
        original={"forget": 100, "remain": 90},
        revised={"forget": 50, "remain": 90},
        revised_recalibrated={"forget": left, "remain": 90},
    )["forgetting"]
    assert found["artefact"] is artefact


def test_the_artefact_is_that_of_the_decision():
    """At equal accuracy the probabilities decide, here as in the verdict."""
    artefact = {"original": FULL, "revised": {"forget": 10, "remain": 90}, "revised_recalibrated": FULL}
    found = evidence(**artefact)
    assert found["forgetting"]["artefact"] is True
    assert found["forgetting"]["surviving_recalibration"] == pytest.approx(0)
    erased = evidence(**artefact, objective="erase")
    assert erased["why"][0].startswith("The forgetting is an artefact")


def test_without_forget_images_there_is_no_forgetting_to_measure():
    models = {name: {("remain", "test"): subset(90)} for name in ("original", "revised", "revised_recalibrated")}
    decision = Decision.from_config({"healthy_classes": ["a"]}, class_names=CLASSES)
    found = forgetting(decision, predictions(models))
    assert found["change"] is found["change_recalibrated"] is found["surviving_recalibration"] is None
    assert found["artefact"] is False
    assert found["subsets"] == []


def test_without_batch_norm_there_is_no_control():
    found = evidence(original=FULL, revised={"forget": 10, "remain": 90})["forgetting"]
    assert found["change"] == pytest.approx(-0.8 * SWING)
    assert found["change_recalibrated"] is found["surviving_recalibration"] is None
