from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.condition import (
    Between,
    Comparison,
    Contains,
    Direction,
    In,
    Like,
    Matches,
    Operator,
    Within,
)
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.term import Field, Number

A = Field("a")


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Comparison(Field("device"), Operator.EQUAL, Value("Cirrus 800 FA")), "device == Cirrus 800 FA"),
        (Comparison(Field("a b"), Operator.LESS, Value("")), "`a b` < ''"),
        (Comparison(Field("in"), Operator.EQUAL, Value("this or that")), "`in` == 'this or that'"),
        (Comparison(A, Operator.SAME, Reference("one")), "a ~= @one"),
        (In(A, (Value("x"), Value("y, z"))), "a in [x, 'y, z']"),
        (Between(A, Value("1"), Value("2")), "a between 1 and 2"),
        (Contains(A, Value("a b")), "a contains a b"),
        (Contains(A, Value("a b", exact=True)), "a contains 'a b'"),
        (Like(A, Value("a-b")), "a like a-b"),
        (Matches(A, "^a", ignore_case=True), "a matches /^a/i"),
        (Within(A, 30, Direction.OF, Reference("day")), "a within 30 days of @day"),
        (Within(A, 1, Direction.AFTER, Field("b c")), "a within 1 days after `b c`"),
    ],
)
def test_canonical_text(node, text):
    assert str(node) == text


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Comparison(Number("3"), Operator.EQUAL, Value("3")), "a field on the left side"),
        (lambda: In(A, ()), "at least one value"),
        (lambda: Contains(A, Value("")), "every value contains an empty text"),
        (lambda: Like(A, Value("- -")), "letters or digits"),
        (lambda: Like(A, Value("%a")), "no wildcards"),
        (lambda: Matches(A, ""), "regular expression without"),
        (lambda: Matches(A, "a\nb"), "regular expression without"),
        (lambda: Matches(A, "a\\"), "lone backslash"),
        (lambda: Within(A, -1, Direction.OF, Value("2018-01-01")), "a window of at most"),
        (lambda: Within(A, 40_000, Direction.OF, Value("2018-01-01")), "a window of at most"),
        (lambda: Within(A, 1, Direction.OF, Value("soon")), "a date such as"),
    ],
)
def test_an_invalid_condition_cannot_be_built(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_private_text_hides_the_values_of_fields_that_identify_people():
    patient = Field("patient")
    nodes = [
        Comparison(patient, Operator.SAME, Value("P17")),
        In(patient, (Value("P17"), Value("P18"))),
        Between(patient, Value("P17"), Value("P18")),
        Contains(patient, Value("P17")),
        Matches(patient, "P17"),
    ]
    assert not any("P1" in node.render(private=True) for node in nodes)
    assert all("P17" in str(node) for node in nodes)
    assert In(patient, Reference("withdrawn")).render(private=True) == "patient in @withdrawn"


def test_a_slash_in_an_expression_is_escaped():
    node = Matches(A, "a/b")
    assert str(node) == r"a matches /a\/b/"
    assert Matches(A, r"a\/b") == node


def test_the_anchor_of_a_window_is_a_child_where_it_is_a_field():
    assert Within(A, 1, Direction.OF, Field("b")).children == (A, Field("b"))
    assert Within(A, 1, Direction.OF, Reference("b")).children == (A,)


def test_operators_that_need_an_order():
    assert {operator.value for operator in Operator if operator.orders} == {"<", "<=", ">", ">="}
