from __future__ import annotations

import pytest
from attacker import Attacker
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_unlearn.cohort.reports.disclosure import HIDDEN, Relation, at_most, protect, total


def _keys(names):
    return [(name,) for name in names]


def _shown(counts, relations, *, below=5, **more):
    found = protect({(name,): count for name, count in counts.items()}, relations, below=below, **more)
    return {key[0]: shown for key, shown in found.items()}


SUM = [total(("t",), _keys("abc"))]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Nothing is small: everything is shown, zeros included.
        ({"a": 5, "b": 20, "c": 0, "t": 25}, {"a": 5, "b": 20, "c": 0, "t": 25}),
        # One is small: the next smallest is hidden with it.
        ({"a": 2, "b": 20, "c": 30, "t": 52}, {"a": "<5", "b": HIDDEN, "c": 30, "t": 52}),
        # Two are small, and protect each other.
        ({"a": 2, "b": 3, "c": 30, "t": 35}, {"a": "<5", "b": "<5", "c": 30, "t": 35}),
        # 1 + 1 + 30: both are at their minimum, so one more must be hidden.
        ({"a": 1, "b": 1, "c": 30, "t": 32}, {"a": "<5", "b": "<5", "c": HIDDEN, "t": 32}),
        # 4 + 4: both are at their maximum.
        ({"a": 4, "b": 4, "c": 0, "t": 8}, {"a": "<5", "b": "<5", "c": 0, "t": HIDDEN}),
        # 1 + 5 = 6: a hidden count is not small, so the other can only be 1.
        ({"a": 1, "b": 5, "c": 0, "t": 6}, {"a": "<5", "b": HIDDEN, "c": 0, "t": HIDDEN}),
        # Only one part is not zero: it is the whole.
        ({"a": 3, "b": 0, "c": 0, "t": 3}, {"a": "<5", "b": 0, "c": 0, "t": "<5"}),
    ],
)
def test_a_sum(counts, expected):
    assert _shown(counts, SUM) == expected


def test_small_counts_of_a_small_whole_give_each_other_away():
    # Four counts of at least 1 whose whole is at most 4 are 1 each.
    relations = [total(("t",), _keys("abcd"))]
    shown = _shown({"a": 1, "b": 1, "c": 1, "d": 1, "t": 4}, relations)
    assert shown == {"a": "<5", "b": "<5", "c": "<5", "d": "<5", "t": HIDDEN}


def test_a_bound_can_give_a_count_away():
    # At least 4 and at most 4; hidden, the bound may be anything.
    assert _shown({"a": 4, "b": 8}, [Relation({("a",): 2, ("b",): -1}, exact=False)]) == {"a": "<5", "b": HIDDEN}


def test_a_small_difference_is_protected_too():
    relations, pairs = [at_most(("b",), ("a",))], [(("a",), ("b",))]
    assert _shown({"a": 100, "b": 98}, relations) == {"a": 100, "b": 98}
    assert _shown({"a": 100, "b": 98}, relations, differences=pairs) == {"a": 100, "b": HIDDEN}
    assert _shown({"a": 100, "b": 95}, relations, differences=pairs) == {"a": 100, "b": 95}
    assert _shown({"a": 100, "b": 100}, relations, differences=pairs) == {"a": 100, "b": 100}


def test_what_is_needed_least_is_hidden_first():
    counts = {"a": 2, "b": 20, "c": 30, "t": 52}
    assert _shown(counts, SUM, needed={("b",): 1})["c"] == HIDDEN
    assert _shown(counts, SUM, needed={("t",): -1})["t"] == HIDDEN


def test_counts_without_relations_and_no_counts_at_all():
    assert _shown({"a": 1, "b": 7, "c": 0}, []) == {"a": "<5", "b": 7, "c": 0}
    assert protect({}, [], below=5) == {}


def test_a_relation_that_does_not_hold_is_an_internal_error():
    with pytest.raises(AssertionError, match="does not hold"):
        _shown({"a": 1, "b": 2}, [total(("a",), [("b",)])])


@st.composite
def tables(draw):
    """A table of counts with its margins, as an attacker knows it: every row and column adds up."""
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    cells = {
        (row, column): draw(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 9, 30]))
        for row in range(rows)
        for column in range(columns)
    }
    truth, sums = dict(cells), []
    for row in range(rows):
        truth[row, "sum"] = sum(cells[row, column] for column in range(columns))
        sums.append((row, "sum", [(row, column) for column in range(columns)]))
    for column in [*range(columns), "sum"]:
        truth["sum", column] = sum(truth[row, column] for row in range(rows))
        sums.append(("sum", column, [(row, column) for row in range(rows)]))
    return truth, sums


@settings(max_examples=100)
@given(tables(), st.integers(3, 6))
def test_no_suppressed_count_of_a_table_can_be_worked_out(table, below):
    truth, sums = table
    relations = [total((row, column), parts) for row, column, parts in sums]
    shown = protect(truth, relations, below=below)
    for key, count in truth.items():
        assert shown[key] in ({f"<{below}", HIDDEN} if 0 < count < below else {count, HIDDEN} if count else {0})
    known = [({(row, column): 1, **dict.fromkeys(parts, -1)}, True) for row, column, parts in sums]
    assert Attacker(truth, shown, known).solved() == []


def test_the_attacker_works_out_what_is_left_open():
    truth = {"a": 2, "b": 20, "t": 22}
    known = [({"t": 1, "a": -1, "b": -1}, True)]
    assert Attacker(truth, {"a": "<5", "b": 20, "t": 22}, known).solved() == ["a"]
    assert Attacker(truth, {"a": "<5", "b": "hidden", "t": 22}, known).solved() == []
    assert Attacker({"a": 1, "b": 1, "t": 2}, {"a": "<5", "b": "<5", "t": 2}, known).solved() == ["a", "b"]
