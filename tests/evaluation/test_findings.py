from __future__ import annotations

import pytest
from evidence_example import evidence

from monai_unlearn.evaluation.findings import forgetting

FULL = {"forget": 90, "remain": 90}


def test_forgetting_in_the_weights_survives_recalibration():
    found = evidence(
        original=FULL, revised={"forget": 50, "remain": 90}, revised_recalibrated={"forget": 54, "remain": 90}
    )["forgetting"]
    assert found["split"] == "test"
    assert found["change"] == pytest.approx(-0.4)
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


def table(**accuracies: float | None) -> dict:
    return {"forget": {split: {"n": int(value is not None), "accuracy": value} for split, value in accuracies.items()}}


def test_without_test_images_forgetting_is_measured_on_training_images():
    models = {"original": table(train=0.75, test=None), "revised": table(train=0.25, test=None)}
    found = forgetting(models, has_batch_norm=False)
    assert (found["split"], found["change"]) == ("train", -0.5)


def test_without_forget_images_there_is_no_forgetting_to_measure():
    nothing = table(train=None, test=None)
    found = forgetting({"original": nothing, "revised": nothing}, has_batch_norm=True)
    assert found["change"] is found["change_recalibrated"] is found["surviving_recalibration"] is None
    assert found["artefact"] is False


def test_without_batch_norm_there_is_no_control():
    found = evidence(original=FULL, revised={"forget": 10, "remain": 90})["forgetting"]
    assert found["change"] == pytest.approx(-0.8)
    assert found["change_recalibrated"] is found["surviving_recalibration"] is None
