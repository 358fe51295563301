from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.node import MAX_DEPTH, Reference, Value
from monai_unlearn.cohort.language.predicate import (
    And,
    Between,
    Comparison,
    Contains,
    Direction,
    Exists,
    In,
    Matches,
    Missing,
    Not,
    Operator,
    Or,
    Within,
    rules_of,
)
from monai_unlearn.cohort.language.term import Field, Number
from monai_unlearn.vocabulary.privacy import names_people

LEAF = Exists(Field("a"))
A = Field("a")


@pytest.mark.parametrize("name", ["", "a`b", "a\nb", "\ud800"])
def test_a_field_cannot_have_a_name_that_cannot_be_written(name):
    with pytest.raises(ValueError, match="expected a field name"):
        Field(name)


@pytest.mark.parametrize("text", ["a\nb", "\x00", "\ud800"])
def test_a_value_cannot_hold_control_characters(text):
    with pytest.raises(ValueError, match="without control characters"):
        Value(text)


def test_a_list_cannot_be_empty():
    with pytest.raises(ValueError, match="at least one value"):
        In(Field("a"), ())


@pytest.mark.parametrize("join", [And, Or])
def test_one_operand_cannot_be_joined(join):
    with pytest.raises(ValueError, match="at least two predicates"):
        join((LEAF,))


def test_nesting_is_bounded():
    node = LEAF
    for _ in range(MAX_DEPTH - node.depth):
        node = Not(node)
    assert node.depth == MAX_DEPTH
    with pytest.raises(ValueError, match="at most 50 nested levels"):
        Not(node)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Comparison(Field("device"), Operator.EQUAL, Value("Cirrus 800 FA")), "device == Cirrus 800 FA"),
        (Comparison(Field("a b"), Operator.LESS, Value("")), "`a b` < ''"),
        (Comparison(Field("in"), Operator.EQUAL, Value("this or that")), "`in` == 'this or that'"),
        (Comparison(Field("a"), Operator.EQUAL, Value("null")), "a == 'null'"),
        (Comparison(Field("a"), Operator.EQUAL, Value("two  spaces")), "a == 'two  spaces'"),
        (Comparison(Field("a"), Operator.EQUAL, Value("it's")), "a == 'it''s'"),
        (Not(In(Field("a"), (Value("x"), Value("y, z")))), "a not in [x, 'y, z']"),
        (Not(Missing(Field("a"))), "not missing(a)"),
        (Not(Not(LEAF)), "not (not exists(a))"),
        (And((LEAF, Or((LEAF, LEAF)), LEAF)), "exists(a) and (exists(a) or exists(a)) and exists(a)"),
        (And((And((LEAF, LEAF)), LEAF)), "(exists(a) and exists(a)) and exists(a)"),
    ],
)
def test_canonical_text(node, text):
    assert str(node) == text


def test_private_text_counts_identifiers_instead_of_naming_them():
    withdrawn = In(Field("patient"), (Value("P17"), Value("P18")))
    node = And((withdrawn, Comparison(Field("PatientID"), Operator.UNEQUAL, Value("P19")), LEAF))
    assert node.render(private=True) == "patient in [… 2 values] and PatientID != … and exists(a)"
    assert Not(withdrawn).render(private=True) == "patient not in [… 2 values]"
    assert "P17" in str(node)


@pytest.mark.parametrize(
    "name", ["patient", "patient_id", "PatientID", "study", "image_id", "StudyInstanceUID", "mrn", "AccessionNumber"]
)
def test_fields_that_identify_somebody(name):
    assert names_people(name)


@pytest.mark.parametrize(
    "name", ["device", "PatientAge", "PatientSex", "StudyDate", "SeriesDescription", "StationName"]
)
def test_fields_that_identify_nobody(name):
    assert not names_people(name)


def test_rules_are_the_operands_of_an_and_at_the_top():
    other = Missing(Field("b"))
    assert rules_of(And((LEAF, other))) == (LEAF, other)
    assert rules_of(Or((LEAF, other))) == (Or((LEAF, other)),)


def test_where_a_node_came_from_is_no_part_of_it():
    assert Field("a") == Field("a", at=None)
    assert "at=" not in repr(Field("a"))
    assert list(And((LEAF, LEAF)).walk())[1:] == [LEAF, A, LEAF, A]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Comparison(Number("3"), Operator.EQUAL, Value("3")), "a field on the left side"),
        (lambda: Contains(A, Value("")), "every value contains that"),
        (lambda: Matches(A, ""), "regular expression without"),
        (lambda: Matches(A, "a\\"), "lone backslash"),
        (lambda: Within(A, -1, Direction.OF, Value("2018-01-01")), "a window of at most"),
        (lambda: Within(A, 40_000, Direction.OF, Value("2018-01-01")), "a window of at most"),
        (lambda: Within(A, 1, Direction.OF, Value("soon")), "a date such as"),
        (lambda: Reference("a b"), "the name of a value set"),
    ],
)
def test_what_cannot_be_asked_cannot_be_built(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_private_text_hides_values_of_every_test_about_somebody():
    patient = Field("patient")
    nodes = [
        Comparison(patient, Operator.SAME, Value("P17")),
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
