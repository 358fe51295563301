from __future__ import annotations

import pytest
from decision_example import comparison

from monai_unlearn.evaluation.decision.half_way import behind


def found(before, after, **changed):
    pairs = [comparison(value=value, target=0.5, **changed) for value in (before, after)]
    return behind(pairs[:1], pairs[1:], "what x predicts")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (0.70, 0.70, "0 % are gone"),
        (0.70, 0.61, "45 % are gone"),
        (0.70, 0.60, None),
        (0.70, 0.45, None),
        (0.30, 0.38, "40 % are gone"),
        (0.30, 0.41, None),
        (0.599, 0.599, None),
        (0.70, 0.75, "-25 % are gone"),
    ],
)
def test_half_of_a_gap_beyond_the_margin_must_be_closed(before, after, said):
    lines = found(before, after)
    if said is None:
        assert lines == []
    else:
        (line,) = lines
        assert line.startswith("forget test, class a: of ")
        assert said in line


def test_other_measures_and_what_was_not_judged_are_left_out():
    assert found(0.9, 0.9, measure="sensitivity") == []
    assert behind([comparison(value=None)], [comparison(value=0.9)], "x") == []
    assert behind([comparison(value=0.9)], [comparison(value=None)], "x") == []
    assert behind([comparison(value=0.9, label="b")], [comparison(value=0.9)], "x") == []


def test_guards_count_too():
    assert len(found(0.9, 0.9, is_guard=True)) == 1
