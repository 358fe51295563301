from __future__ import annotations

from dataclasses import replace

import pytest

from monai_unlearn.evaluation.judgement import VERDICTS, goal, verdict
from monai_unlearn.evaluation.metrics import ACCURACY, registered

LOG_LOSS = registered()["log_loss"]
NONE = {"value": None, "interval": None}


def difference(low: float, high: float) -> dict:
    return {"value": (low + high) / 2, "interval": [low, high]}


@pytest.mark.parametrize(
    ("metric", "part", "objective", "expected"),
    [
        (ACCURACY, "remain", "match_reference", "higher_is_better"),
        (ACCURACY, "remain", "erase", "higher_is_better"),
        (ACCURACY, "forget", "match_reference", "match_reference"),
        (ACCURACY, "forget", "erase", "lower_is_better"),
        (LOG_LOSS, "remain", "match_reference", "lower_is_better"),
        (LOG_LOSS, "forget", "match_reference", "match_reference"),
        # Erased images are predicted badly, thus with a high loss.
        (LOG_LOSS, "forget", "erase", "higher_is_better"),
    ],
)
def test_what_is_wanted_depends_on_metric_part_and_objective(metric, part, objective, expected):
    assert goal(metric, part=part, objective=objective) == expected


@pytest.mark.parametrize(
    ("direction", "low", "high", "expected"),
    [
        ("higher_is_better", 0.01, 0.3, "improved"),
        ("higher_is_better", -0.3, -0.01, "degraded"),
        ("higher_is_better", -0.1, 0.1, "unchanged"),
        ("higher_is_better", -0.11, 0.02, "undecided"),
        ("higher_is_better", -0.02, 0.11, "undecided"),
        ("lower_is_better", 0.01, 0.3, "degraded"),
        ("lower_is_better", -0.3, -0.01, "improved"),
        ("lower_is_better", -0.1, 0.1, "unchanged"),
        # An interval that ends at zero does not exclude it.
        ("higher_is_better", 0.0, 0.05, "unchanged"),
        ("higher_is_better", -0.05, 0.0, "unchanged"),
    ],
)
def test_a_change_is_judged_by_its_interval(direction, low, high, expected):
    # A gap that would be judged otherwise must not matter.
    assert verdict(ACCURACY, direction, n=9, change=difference(low, high), gap=difference(0.5, 0.6)) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.3, "above_reference"), (-0.3, -0.01, "below_reference"), (-0.1, 0.1, "matches_reference")],
)
def test_a_forget_part_is_judged_by_its_gap(low, high, expected):
    change = difference(-0.9, -0.8)
    assert verdict(ACCURACY, "match_reference", n=9, change=change, gap=difference(low, high)) == expected


def test_each_metric_has_its_own_margin():
    wide = replace(ACCURACY, margin=0.5)
    change = difference(-0.4, 0.4)
    assert verdict(ACCURACY, "higher_is_better", n=9, change=change, gap=None) == "undecided"
    assert verdict(wide, "higher_is_better", n=9, change=change, gap=None) == "unchanged"


@pytest.mark.parametrize(
    ("n", "direction", "gap", "expected"),
    [
        (0, "match_reference", None, "no_images"),
        (9, "match_reference", None, "no_reference"),
        (9, "match_reference", {"value": 0.1, "interval": None}, "no_interval"),
        (9, "higher_is_better", None, "no_interval"),
    ],
)
def test_says_why_nothing_is_judged(n, direction, gap, expected):
    assert verdict(ACCURACY, direction, n=n, change=NONE, gap=gap) == expected
    assert expected in VERDICTS
