from __future__ import annotations

import math

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Schedule


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("constant", [2.0, 2.0, 2.0, 2.0]),
        ("inverse", [2.0, 1.0, 2 / 3, 0.5]),
        ("linear", [2.0, 1.5, 1.0, 0.5]),
        ("exponential", [2.0, 2 * math.exp(-0.5), 2 * math.exp(-1), 2 * math.exp(-1.5)]),
    ],
)
def test_follows_its_formula(kind, expected):
    schedule = Schedule(start=2.0, kind=kind, rate=0.5)
    assert [schedule.at(step, 4) for step in range(1, 5)] == pytest.approx(expected)


def test_a_rate_of_0_is_constant():
    assert Schedule(start=2.0, kind="exponential", rate=0.0).at(3, 4) == 2.0


def test_the_published_rate_is_the_default():
    assert Schedule(start=1.0, kind="exponential").at(2, 2) == pytest.approx(math.exp(-0.01))


def test_refuses_an_unknown_kind():
    with pytest.raises(ConfigError, match="expected one of constant, .* got 'liner'. Did you mean 'linear'"):
        Schedule(start=1.0, kind="liner")


@pytest.mark.parametrize(
    "wrong", [{"start": -1.0}, {"start": math.inf}, {"start": 1.0, "rate": math.nan}, {"start": 1.0, "rate": math.inf}]
)
def test_refuses_numbers_out_of_range(wrong):
    with pytest.raises(ConfigError, match="schedule: expected start >= 0 and rate >= 0"):
        Schedule(**wrong)
