from __future__ import annotations

import pytest
from evidence_example import evidence

from monai_unlearn.evaluation.findings import forgetting, recommend

FULL = {"forget": 90, "remain": 90}


def test_forgetting_in_the_weights_survives_recalibration():
    found = evidence(
        original=FULL, revised={"forget": 50, "remain": 90}, revised_recalibrated={"forget": 54, "remain": 90}
    )["forgetting"]
    assert found["split"] == "test"
    assert found["change"] == pytest.approx(-0.4)
    assert found["surviving_recalibration"] == pytest.approx(0.9)
    assert found["artefact"] is False


def test_forgetting_that_vanishes_is_an_artefact_and_a_reason_to_retrain():
    found = evidence(
        original=FULL, revised={"forget": 10, "remain": 90}, revised_recalibrated={"forget": 88, "remain": 90}
    )
    assert found["forgetting"]["artefact"] is True
    assert found["recommendation"]["retrain"] is True
    assert "artefact of BatchNorm statistics: of -80.0 points" in found["recommendation"]["reasons"][0]


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


def test_a_result_like_the_reference_is_no_reason_to_retrain():
    close = {"forget": 62, "remain": 89}
    found = evidence(original=FULL, revised=close, revised_recalibrated=close, reference={"forget": 60, "remain": 90})
    assert found["recommendation"] == {"retrain": False, "reasons": []}


@pytest.mark.parametrize(
    ("revised", "reason"),
    [
        ({"forget": 5, "remain": 90}, "On forget train images of all classes the revised model is -55.0 points"),
        ({"forget": 60, "remain": 60}, "On remain test images of all classes the revised model is -30.0 points"),
    ],
)
def test_low_forget_accuracy_is_no_merit_if_the_reference_is_high(revised, reason):
    found = evidence(
        original=FULL, revised=revised, revised_recalibrated=revised, reference={"forget": 60, "remain": 90}
    )["recommendation"]
    assert found["retrain"] is True
    assert found["reasons"][0].startswith(reason)


def test_better_on_remain_than_the_reference_is_no_reason_to_retrain():
    better = {"forget": 60, "remain": 99}
    found = evidence(original=FULL, revised=better, revised_recalibrated=better, reference={"forget": 60, "remain": 70})
    assert found["recommendation"]["retrain"] is False


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_a_cost_near_that_of_retraining_is_a_reason(share):
    close = {"forget": 60, "remain": 90}
    found = evidence(share=share, original=FULL, revised=close, revised_recalibrated=close, reference=close)
    reason = f"Unlearning took {share:.0%} of the gradient evaluations of retraining."
    assert found["recommendation"] == {"retrain": True, "reasons": [reason]}


def test_an_artefact_needs_no_reference_to_be_a_reason():
    found = evidence(original=FULL, revised={"forget": 10, "remain": 90}, revised_recalibrated=FULL)
    assert found["recommendation"]["retrain"] is True
    assert len(found["recommendation"]["reasons"]) == 2


def test_without_reference_nothing_is_claimed():
    close = {"forget": 60, "remain": 90}
    found = evidence(original=FULL, revised=close, revised_recalibrated=close)["recommendation"]
    assert found["retrain"] is None
    assert "There is no retrained reference: it is unknown" in found["reasons"][0]


def test_agreement_over_all_classes_does_not_hide_disagreement_by_class():
    found = evidence(
        original=FULL,
        revised={"forget": 50, "remain": 90},
        revised_recalibrated=FULL,
        reference={"forget": 50, "remain": 90},
    )
    # The same share over all, but the revised model predicts only class a and the reference only class b.
    subset = found["gaps_to_reference"]["forget"]["test"]
    subset["classes"] = {
        "a": {"value": 1.0, "interval": [0.9, 1.0]},
        "b": {"value": -1.0, "interval": [-1.0, -0.9]},
    }
    reasons = recommend({**found, "forgetting": {"artefact": False}})["reasons"]
    assert [reason.split(" the revised")[0] for reason in reasons] == [
        "On forget test images of a",
        "On forget test images of b",
    ]


def test_what_is_still_memorised_is_not_forgotten():
    """Seen on real photographs: test accuracy like the reference's, training images untouched."""
    close = {"forget": 60, "remain": 90}
    found = evidence(original=FULL, revised=close, revised_recalibrated=close, reference=close)
    found["gaps_to_reference"]["forget"]["train"] = {"value": 0.34, "interval": [0.3, 0.38], "classes": {}}
    reason = "On forget train images of all classes the revised model is +34.0 points from the retrained reference"
    assert recommend(found)["reasons"] == [f"{reason} (95 % interval +30.0 to +38.0)."]


@pytest.mark.parametrize(
    ("part", "interval", "named"),
    [
        ("forget", [0.01, 0.2], True),
        ("forget", [0.0, 0.2], False),
        ("forget", [-0.2, 0.0], False),
        ("forget", [-0.2, -0.01], True),
        ("remain", [-0.2, -0.01], True),
        ("remain", [0.01, 0.2], False),
    ],
)
def test_a_gap_is_a_reason_if_its_interval_excludes_zero(part, interval, named):
    close = {"forget": 60, "remain": 90}
    found = evidence(original=FULL, revised=close, revised_recalibrated=close, reference=close)
    found["gaps_to_reference"] = {part: {"test": {"value": sum(interval) / 2, "interval": interval, "classes": {}}}}
    assert recommend(found)["retrain"] is named


def test_what_recalibration_alone_takes_away_is_not_forgetting():
    found = evidence(
        original=FULL,
        original_recalibrated={"forget": 60, "remain": 90},
        revised={"forget": 55, "remain": 90},
        revised_recalibrated={"forget": 55, "remain": 90},
    )["forgetting"]
    assert found["change_recalibrated"] == pytest.approx(-0.05)
    assert found["artefact"] is True


def test_a_reference_without_record_proves_nothing():
    close = {"forget": 60, "remain": 90}
    found = evidence(recorded=False, original=FULL, revised=close, revised_recalibrated=close, reference=close)
    assert found["recommendation"]["retrain"] is None
    assert "it is unknown whether it saw the forget part" in found["recommendation"]["reasons"][0]
