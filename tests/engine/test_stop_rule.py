from __future__ import annotations

import pytest
from one_shot_example import OneStepUp
from tiny_trainer import Plain

from monai_unlearn.engine.stop_rule import StopRule
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Reset


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"forget_acuracy": 0.1}, "no condition is named 'forget_acuracy'. Did you mean 'forget_accuracy'"),
        ({"forget_accuracy": 1.5}, r"expected forget_accuracy in \[0, 1\], got 1.5"),
        ({"seconds": 0}, "expected seconds above 0, got 0"),
        ({"steps": "many"}, "expected a number for steps, got 'many'"),
        ({"when_met": "paus"}, "when_met: expected one of stop, pause, got 'paus'. Did you mean 'pause'"),
        ({"steps": True}, "expected a number for steps, got 'True'"),
        (0.5, "expected conditions and limits, such as"),
    ],
)
def test_an_invalid_section_is_refused(section, message):
    with pytest.raises(ConfigError, match=message):
        StopRule.read(section)


def test_null_sets_no_condition():
    assert StopRule.read(None).named == ()


def test_limits_are_inclusive():
    rule = StopRule(forget_accuracy=0.5, membership_auc=0.6)
    assert rule.met({"forget_accuracy": 0.5, "membership_auc": 0.7}) == "forget_accuracy"
    assert rule.met({"forget_accuracy": 0.51, "membership_auc": 0.7}) is None


def test_of_several_conditions_that_hold_the_first_is_reported():
    rule = StopRule(membership_auc=1.0, forget_accuracy=1.0)
    assert rule.met({"membership_auc": 0.5, "forget_accuracy": 0.5}) == "forget_accuracy"


@pytest.mark.parametrize(
    ("objective", "has_reference", "section", "rule"),
    [
        ("match_reference", True, None, StopRule(gap_to_reference=0.0, when_met="pause")),
        ("match_reference", False, None, StopRule()),
        ("erase", True, None, StopRule()),
        ("match_reference", True, {}, StopRule()),
        ("match_reference", True, {"steps": 3}, StopRule(steps=3)),
    ],
)
def test_a_run_with_a_reference_to_match_pauses_by_default(objective, has_reference, section, rule):
    assert StopRule.of_run(section, objective=objective, has_reference=has_reference, method=Plain()) == rule


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ({"classes": [0, 1], "accuracy_by_class": [0.2, 0.6]}, {0}),
        ({"classes": [0, 1], "accuracy_by_class": [0.6, 0.6], "gap_by_class": [0.3, -0.1]}, {1}),
        ({"classes": [0, 1], "accuracy_by_class": [0.1, 0.6], "gap_by_class": [0.3, -0.1]}, {0, 1, 2}),
        ({"classes": [0, 1], "accuracy_by_class": [0.6, 0.6], "membership_auc": 0.5}, {0, 1, 2}),
        ({"classes": [0, 1], "accuracy_by_class": [0.6, 0.6], "membership_auc": 0.7}, set()),
        ({}, set()),
    ],
)
def test_each_class_is_judged_by_itself_and_one_that_is_not_judged_goes_with_the_last(measured, expected):
    rule = StopRule(forget_accuracy=0.5, gap_to_reference=0.0, membership_auc=0.5, when_met="pause")
    assert rule.classes_at_target(measured, (0, 1, 2)) == expected


@pytest.mark.parametrize("method", [Reset(), OneStepUp()])
def test_a_method_that_does_not_forget_step_by_step_has_nothing_to_pause(method):
    common = {"objective": "match_reference", "has_reference": True, "method": method}
    assert StopRule.of_run(None, **common) == StopRule()
    with pytest.raises(ConfigError, match="stop: "):
        StopRule.of_run({"forget_accuracy": 0.1, "when_met": "pause"}, **common)


def test_nothing_stops_a_method_without_steps():
    common = {"objective": "erase", "has_reference": False, "method": OneStepUp()}
    assert StopRule.of_run({}, **common) == StopRule()
    with pytest.raises(ConfigError, match="takes no steps, so that seconds can stop nothing"):
        StopRule.of_run({"seconds": 3}, **common)
