from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision.endpoint import SUBSETS, Endpoint, words


@pytest.mark.parametrize(
    ("subset", "measure", "margin", "sides"),
    [
        ("forget_train", "mean_probability", 0.10, "both"),
        ("forget_test", "sensitivity", 0.10, "both"),
        ("forget_test", "false_negatives", 0.05, "upper"),
        ("remain_test", "mean_probability", 0.05, "both"),
        ("remain_test", "macro_sensitivity", 0.05, "lower"),
        ("remain_validation", "sensitivity", 0.05, "lower"),
        ("remain_test", "false_negatives", 0.05, "upper"),
    ],
)
def test_default_margin_and_sides(subset, measure, margin, sides):
    endpoint = Endpoint(subset=subset, measure=measure)
    assert (endpoint.margin, endpoint.sides, endpoint.min_patients) == (margin, sides, 30)
    assert not endpoint.is_wider
    assert Endpoint(subset=subset, measure=measure, margin=margin + 0.01).is_wider


def test_undetermined_images_are_no_subset():
    assert len(SUBSETS) == 6
    assert words("forget_train") == "forget train"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"subset": "forget_tests"}, "Did you mean 'forget_test'"),
        ({"subset": "undetermined_test"}, "decision: subset: expected one of forget_train"),
        ({"subset": "forget_test", "measure": "sensitivty"}, "Did you mean 'sensitivity'"),
        ({"subset": "forget_test", "margin": 5}, "above 0 and below 1 .* got 5"),
        ({"subset": "forget_test", "margin": -0.1}, "above 0 and below 1"),
        ({"subset": "forget_test", "margin": "0.1"}, "above 0 and below 1"),
        ({"subset": "forget_test", "margin": False}, "above 0 and below 1"),
        ({"subset": "forget_test", "min_patients": 1}, "min_patients as a whole number from 2, got 1"),
        ({"subset": "forget_test", "min_patients": True}, "min_patients as a whole number"),
        ({"subset": "remain_test", "measure": "macro_sensitivity", "label": "a"}, "mean over all classes"),
    ],
)
def test_faults(values, message):
    with pytest.raises(ConfigError, match=message):
        Endpoint(**values)


def test_classes():
    assert Endpoint(subset="forget_test").classes(("a", "b")) == ("a", "b")
    assert Endpoint(subset="forget_test", label="c").classes(("a", "b")) == ("c",)
