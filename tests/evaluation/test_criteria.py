from __future__ import annotations

import pytest
from evidence_example import evidence

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import Criterion, accepted, read_criteria
from monai_unlearn.evaluation.metrics import registered

EVIDENCE = evidence(original={"forget": 90, "remain": 95}, revised={"forget": 50, "remain": 92})


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"max": 0.5}, "passed"),
        ({"max": 0.49}, "failed"),
        ({"min": 0.51}, "failed"),
        ({"min": 0.5}, "passed"),
        ({"min": 0.1, "max": 0.6}, "passed"),
    ],
)
def test_limits_include_their_ends(limits, verdict):
    found = Criterion(measure="forget_test_accuracy", **limits).judge(EVIDENCE)
    assert found == {
        "measure": "forget_test_accuracy",
        "min": limits.get("min"),
        "max": limits.get("max"),
        "value": 0.5,
        "verdict": verdict,
    }


@pytest.mark.parametrize("measure", ["forget_test_gap_to_reference", "share_of_retraining_gradients"])
def test_without_evidence_nothing_is_judged(measure):
    found = Criterion(measure=measure, max=1).judge(EVIDENCE)
    assert (found["value"], found["verdict"]) == (None, "not_judged")


def test_reads_a_config():
    assert read_criteria({"forget_test_accuracy": {"max": 0.02}}) == (
        Criterion(measure="forget_test_accuracy", max=0.02),
    )


@pytest.mark.parametrize(
    ("acceptance", "message"),
    [
        (
            {"forget_test_acuracy": {"max": 1}},
            "acceptance: expected a measure, got 'forget_test_acuracy'. Did you mean 'forget_test_accuracy'",
        ),
        (
            {"remain_test_log_loss_drop": {"max": 1}},
            "remain_test_log_loss.* also ending in _drop .or _rise, if lower is",
        ),
        ({"forget_test_accuracy": {}}, "needs a number as min, max or both"),
        ({"forget_test_accuracy": {"max": "low"}}, "needs a number as min, max or both"),
        ({"forget_test_accuracy": {"most": 1}}, "and nothing else"),
        ({"forget_test_accuracy": 0.5}, "and nothing else"),
    ],
)
def test_refuses_what_it_cannot_judge(acceptance, message):
    with pytest.raises(ConfigError, match=message):
        read_criteria(acceptance)


def test_an_unknown_measure_is_answered_with_how_measures_are_named():
    with pytest.raises(ConfigError, match="got 'loss'") as caught:
        read_criteria({"loss": {"max": 1}})
    assert f"{{forget,remain}}_{{train,validation,test}}_{{{','.join(registered())}}}" in str(caught.value)
    assert "forgetting_surviving_recalibration and share_of_retraining_gradients." in str(caught.value)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({}, True),
        ({"remain_test_accuracy": "passed"}, True),
        ({"remain_test_accuracy": "not_judged"}, True),
        ({"remain_test_accuracy": "failed"}, False),
        ({"remain_test_accuracy": "passed", "forget_test_accuracy": "passed"}, True),
        ({"forget_test_accuracy": "passed", "forget_test_gap_to_reference": "not_judged"}, True),
        ({"forget_test_accuracy": "passed", "forget_test_gap_to_reference": "failed"}, False),
        # It is unknown whether it forgot: keeping the rest is not enough.
        ({"remain_test_accuracy": "passed", "forget_test_gap_to_reference": "not_judged"}, False),
    ],
)
def test_acceptance_needs_evidence_about_the_forget_part(verdicts, expected):
    rows = [{"measure": measure, "verdict": verdict} for measure, verdict in verdicts.items()]
    assert accepted(rows) is expected
