from __future__ import annotations

import pytest
from evidence_example import evidence

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import Criterion, accepted, read_criteria
from monai_unlearn.evaluation.criteria import MEASURES

EVIDENCE = evidence(
    share=0.25,
    original={"forget": 90, "remain": 95},
    revised={"forget": 50, "remain": 92},
    revised_recalibrated={"forget": 60, "remain": 92},
    reference={"forget": 58, "remain": 94},
)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("forget_test_accuracy", 0.50),
        ("remain_test_accuracy", 0.92),
        ("remain_test_accuracy_drop", 0.03),
        ("forget_train_gap_to_reference", 0.08),
        ("forget_test_gap_to_reference", 0.08),
        # 50 and 58 of 100 right, classes in turn: 25 and 29 of 50 in either class.
        ("forget_test_worst_class_gap_to_reference", 0.08),
        ("forget_train_worst_class_gap_to_reference", 0.08),
        ("remain_test_gap_to_reference", 0.02),
        ("forgetting_surviving_recalibration", 0.75),
        ("share_of_retraining_gradients", 0.25),
    ],
)
def test_measures(measure, value):
    assert Criterion(measure=measure, max=1).judge(EVIDENCE)["value"] == pytest.approx(value)


def test_every_measure_is_tested():
    marks = test_measures.pytestmark[0].args[1]
    assert {measure for measure, _ in marks} == set(MEASURES)


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"max": 0.5}, "passed"),
        ({"max": 0.49}, "failed"),
        ({"min": 0.51}, "failed"),
        ({"min": 0.1, "max": 0.6}, "passed"),
    ],
)
def test_limits_include_their_ends(limits, verdict):
    assert Criterion(measure="forget_test_accuracy", **limits).judge(EVIDENCE)["verdict"] == verdict


@pytest.mark.parametrize("measure", ["forget_test_gap_to_reference", "share_of_retraining_gradients"])
def test_without_evidence_nothing_is_judged(measure):
    alone = {"forget": 90, "remain": 95}
    found = Criterion(measure=measure, max=1).judge(evidence(original=alone, revised=alone))
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
            "no measure is named 'forget_test_acuracy'. Did you mean 'forget_test_accuracy'",
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
        # Nobody knows whether it forgot: keeping the rest is not enough.
        ({"remain_test_accuracy": "passed", "forget_test_gap_to_reference": "not_judged"}, False),
    ],
)
def test_acceptance_needs_evidence_about_the_forget_part(verdicts, expected):
    rows = [{"measure": measure, "verdict": verdict} for measure, verdict in verdicts.items()]
    assert accepted(rows) is expected
