from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.functions.statistic import Statistic

ENTRY = {"name": "s", "words": "s of {0}", "meaning": "a test"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "s: expected either SQL aggregates or a Python function of scores"),
        ({"aggregates": ("AVG(x)",), "scores": lambda rows, _counts: rows[:, 0]}, "s: expected either"),
        ({"aggregates": ("AVG(x)",), "most": None}, "s: SQL aggregates are taken over one argument"),
    ],
)
def test_an_entry_says_in_exactly_one_way_how_it_is_computed(more, message):
    with pytest.raises(ValueError, match=message):
        Statistic(**ENTRY, **more)


def test_a_statistic_can_be_grouped():
    Statistic(**ENTRY, aggregates=("AVG(x)",)).check(1, by=2)
