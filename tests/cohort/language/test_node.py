from __future__ import annotations

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.logic import And, Not
from monai_unlearn.cohort.language.node import MAX_DEPTH, Reference, Value
from monai_unlearn.cohort.language.predicate import Exists
from monai_unlearn.cohort.language.term import Field

A = Field("a")
LEAF = Exists(A)


@pytest.mark.parametrize("text", ["a\nb", "\x00", "\ud800"])
def test_a_value_cannot_hold_control_characters(text):
    with pytest.raises(ValueError, match="without control characters"):
        Value(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Cirrus 800 FA", "Cirrus 800 FA"),
        ("null", "'null'"),
        ("this or that", "'this or that'"),
        ("two  spaces", "'two  spaces'"),
        ("it's", "'it''s'"),
        ("", "''"),
        ("a,b", "'a,b'"),
        ("x=1", "'x=1'"),
    ],
)
def test_a_value_is_quoted_where_it_would_not_parse_as_itself(text, written):
    assert str(Value(text)) == written
    assert parse(f"a == {written}").value == Value(text)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("'AX STIR'", "'AX STIR'"),
        ("'HD-OCT'", "'HD-OCT'"),
        ("'HD\u2011OCT'", "'HD\u2011OCT'"),
        # Without spaces and dashes, an exact and a folded comparison are the same.
        ("'Cirrus'", "Cirrus"),
        ("'2019-01-31'", "2019-01-31"),
        ("'-0.5'", "-0.5"),
        ("AX   STIR", "AX STIR"),
    ],
)
def test_quotes_are_kept_where_they_make_a_difference(written, canonical):
    value = parse(f"a == {written}").value
    assert str(value) == canonical
    assert value.exact == canonical.startswith("'")
    assert parse(f"a == {canonical}").value == value


def test_a_value_that_is_quoted_is_another_value():
    assert Value("a b", exact=True) != Value("a b")
    assert Value("ab", exact=True) == Value("ab")


@pytest.mark.parametrize("name", ["a b", "", "1a", "a" * 65])
def test_a_reference_is_a_name(name):
    with pytest.raises(ValueError, match="the name of a value set"):
        Reference(name)


def test_nesting_is_bounded():
    node = LEAF
    for _ in range(MAX_DEPTH - node.depth):
        node = Not(node)
    with pytest.raises(ValueError, match="at most 50 nested levels"):
        Not(node)


def test_walk_yields_parents_before_their_children():
    assert list(And((LEAF, Not(LEAF))).walk())[1:] == [LEAF, A, Not(LEAF), LEAF, A]


def test_where_a_node_came_from_does_not_count():
    (parsed, _) = parse("exists(a)").walk()
    assert parsed == LEAF
    assert parsed.field.at is not None
    assert "at=" not in repr(parsed)
