from __future__ import annotations

import pytest

from monai_unlearn.evaluation.predictors import register, registered


def test_the_predictors_by_what_they_are_for():
    found = {name: one.reasons for name, one in registered().items()}
    assert found == {
        "never_trained": ("consent_withdrawal", "label_error"),
        "shifted_odds": ("label_error", "policy_change", "other"),
        "half_width": ("device_deprecation",),
        "last_blocks": ("device_deprecation",),
    }


def test_only_what_carries_its_own_measurement_need_not_be_measured():
    assert [name for name, one in registered().items() if not one.is_measured] == ["never_trained"]


def test_what_is_trained_is_trained_three_times_at_least():
    assert {name: one.proxies for name, one in registered().items()} == {
        "never_trained": 0,
        "shifted_odds": 1,
        "half_width": 3,
        "last_blocks": 3,
    }


def test_a_name_stands_once():
    with pytest.raises(ValueError, match="'last_blocks' is already registered"):
        register(registered()["last_blocks"])
