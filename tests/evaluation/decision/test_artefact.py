from __future__ import annotations

import pytest
from decision_example import binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import decide, gather
from monai_unlearn.evaluation.decision.artefact import artefact, own_class

FORGET = ("forget_train", "forget_test")
ORIGINAL = everywhere(binary(0.95, 0.94))
GONE = everywhere(binary(0.95, 0.94), forget_train=binary(0.1, 0.1), forget_test=binary(0.1, 0.1))


def with_control(control, revised=GONE, **references):
    controls = {"revised_recalibrated": control} if control else {}
    return table({"original": ORIGINAL, "revised": revised, **controls, **references}, patients=400)


def test_the_probability_of_the_true_class():
    # 0.97 where a patient is classified correctly, 0.03 elsewhere; 94.5 of 100 are.
    assert own_class(gather(with_control(None)), "original", FORGET) == pytest.approx(0.945 * 0.97 + 0.055 * 0.03)


@pytest.mark.parametrize(("left", "found"), [(0.1, False), (0.5, False), (0.6, True), (0.95, True)])
def test_half_of_the_forgetting_must_survive_recalibration(left, found):
    back = everywhere(binary(0.95, 0.94), forget_train=binary(left, left), forget_test=binary(left, left))
    sentence = artefact(gather(with_control(back)), FORGET)
    assert (sentence is not None) is found
    if found:
        assert "artefact of BatchNorm statistics: of 79.4 points that the forget part lost" in sentence


def test_without_a_control_or_without_forgetting_nothing_is_said():
    assert artefact(gather(with_control(None)), FORGET) is None
    assert artefact(gather(with_control(ORIGINAL, revised=ORIGINAL)), FORGET) is None
    assert artefact(gather(with_control(ORIGINAL)), ["forget_validation"]) is None


def test_an_artefact_is_not_erased():
    outcome = decide(decision(objective="erase"), with_control(ORIGINAL))
    assert outcome.verdict == "not_erased"
    assert outcome.why[0].startswith("The forgetting is an artefact")
    assert decide(decision(objective="erase"), with_control(GONE)).verdict == "erased"


def test_an_artefact_is_not_equivalent_even_where_it_predicts_as_retrained_networks_do():
    references = {f"reference-{i}": GONE for i in range(3)}
    assert decide(decision(), with_control(GONE, **references)).verdict == "equivalent"
    outcome = decide(decision(), with_control(ORIGINAL, **references))
    assert (outcome.verdict, outcome.exit_code) == ("inconclusive", 3)
    assert outcome.why[0].startswith("The forgetting is an artefact")


def test_a_control_of_the_original_alone_is_none():
    found = with_control(None, original_recalibrated=ORIGINAL)
    assert gather(found).control is None


def test_a_class_that_comes_back_is_an_artefact_although_the_others_stay_forgotten():
    back = everywhere(binary(0.95, 0.94), forget_train=binary(0.1, 0.94), forget_test=binary(0.1, 0.94))
    sentence = artefact(gather(with_control(back)), FORGET)
    assert "points that class sick of the forget part moved by, 0.0 are left" in sentence


def test_what_is_gained_and_lost_again_is_an_artefact_too():
    apart = everywhere(binary(0.7, 0.7), forget_train=binary(0.5, 0.9), forget_test=binary(0.5, 0.9))
    even = everywhere(binary(0.7, 0.7))
    found = table({"original": even, "revised": apart, "revised_recalibrated": even}, patients=400)
    assert "of the forget part moved by, 0.0 are left" in artefact(gather(found), FORGET)


def test_without_finite_outputs_of_the_control_nothing_promotes():
    references = {f"reference-{i}": GONE for i in range(3)}
    found = with_control(GONE, **references)
    assert decide(decision(), found).verdict == "equivalent"
    found.logits["revised_recalibrated"][:] = float("nan")
    outcome = decide(decision(), found)
    assert outcome.verdict == "inconclusive"
    assert any("without a finite output of revised_recalibrated" in why for why in outcome.why)
