from __future__ import annotations

from dataclasses import replace

import pytest
from decision_example import comparison

from monai_unlearn.evaluation.decision.comparison import STATUSES

BOTH = comparison()


@pytest.mark.parametrize(
    ("changes", "status", "blocks"),
    [
        ({}, "inside", False),
        ({"high": 0.1}, "undecided", True),
        ({"low": -0.1}, "undecided", True),
        ({"sides": "upper", "low": -0.4}, "inside", False),
        ({"sides": "lower", "high": 0.4}, "inside", False),
        ({"sides": "lower", "low": -0.1}, "undecided", True),
        ({"patients": 29}, "too_few_patients", True),
        ({"value": None, "fault": "there is no image"}, "not_judged", True),
        ({"value": None, "rule": "not_beyond", "fault": "there is one patient"}, "not_judged", True),
        ({"is_beyond": True, "value": 0.9, "low": 0.3, "high": 0.5}, "beyond", True),
        ({"rule": "point_within", "sides": "upper", "value": 0.59, "high": 0.3}, "clear", False),
        ({"rule": "point_within", "sides": "upper", "value": 0.61, "high": 0.3}, "blocks", True),
        ({"rule": "point_within", "sides": "upper", "value": 0.1, "low": -0.5}, "clear", False),
        ({"rule": "not_beyond", "high": 0.3}, "clear", False),
        ({"rule": "not_beyond", "patients": 3}, "clear", False),
        ({"rule": "not_beyond", "low": 0.11, "high": 0.3}, "blocks", True),
        ({"rule": "not_beyond", "low": -0.3, "high": -0.11}, "blocks", True),
        ({"rule": "not_beyond", "value": 0.71, "low": -0.3, "high": 0.6}, "blocks", True),
        ({"rule": "not_beyond", "value": 0.29, "sides": "upper", "low": -0.3, "high": -0.2}, "clear", False),
    ],
)
def test_status(changes, status, blocks):
    found = replace(BOTH, **changes)
    assert (found.status, found.blocks) == (status, blocks)
    assert found.status in STATUSES


def test_gap_counts_towards_the_side_that_matters():
    lower = replace(BOTH, value=0.3)
    assert replace(lower, sides="both").gap == pytest.approx(0.2)
    assert replace(lower, sides="lower").gap == pytest.approx(0.2)
    assert replace(lower, sides="upper").gap == pytest.approx(-0.2)


def test_target_undetermined():
    assert replace(BOTH, target_distance=0.11).is_target_undetermined
    assert not replace(BOTH, target_distance=0.1).is_target_undetermined
    assert not replace(BOTH, target_distance=0.11, rule="not_beyond").is_target_undetermined


def test_what_is_not_known_is_null():
    written = replace(BOTH, value=None, fault="there is no image").to_dict()
    assert [written[key] for key in ("revised", "target", "d", "interval", "p", "s_R", "se_patients")] == [None] * 7
    assert BOTH.to_dict()["d"] == 0
    assert BOTH.to_dict()["interval"] == [-0.05, 0.05]
    assert (BOTH.to_dict()["G"], BOTH.to_dict()["R"], BOTH.to_dict()["s_R"]) == (50, 3, 0.01)
