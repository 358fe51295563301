"""Random predicates on random rows: the real resolve against a plain evaluator, written for this test alone."""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from pathlib import Path

import pytest
from cohort_index import make_index
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.cohort import CohortSpec, parse
from monai_unlearn.cohort.document import Reason
from monai_unlearn.cohort.predicate import (
    RESERVED,
    And,
    Comparison,
    Exists,
    Field,
    In,
    Missing,
    Not,
    Operator,
    Or,
    Predicate,
    Value,
)
from monai_unlearn.fields import Kind

KINDS = {
    "device": Kind.TEXT,
    "vpf": Kind.NUMBER,
    "PatientAge": Kind.AGE,
    "AcquisitionDate": Kind.DATE,
    "AcquisitionDateTime": Kind.DATETIME,
}
TEXTS = ["x", "X", "a b", "it's", "and", "null", ""]
NUMBERS = ["0", "1", "-2.5", "1e2"]
DATES = ["2018-01-01", "2018-06-05", "2020-02-29"]
# What a predicate may name, the values that it may compare it with, and the columns behind the name.
FIELDS = {
    "device": (TEXTS, ["device"]),
    "vpf": (NUMBERS, ["vpf"]),
    "age": (NUMBERS, ["PatientAge"]),
    "acquired": (DATES, ["AcquisitionDate", "AcquisitionDateTime"]),
}


def _values(name):
    return st.sampled_from(FIELDS[name][0]).map(Value)


def _operators(name):
    return st.sampled_from([Operator.EQUAL, Operator.UNEQUAL] if name == "device" else list(Operator))


def _leaves():
    def of(name):
        field = Field(name)
        return st.one_of(
            st.builds(Comparison, st.just(field), _operators(name), _values(name)),
            st.builds(In, st.just(field), st.lists(_values(name), min_size=1, max_size=3).map(tuple)),
            st.just(Exists(field)),
            st.just(Missing(field)),
        )

    return st.sampled_from(sorted(FIELDS)).flatmap(of)


def _branches(children):
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, children), st.builds(And, several), st.builds(Or, several))


PREDICATES = st.recursive(_leaves(), _branches, max_leaves=8)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "device": st.sampled_from([*TEXTS, None]),
            "vpf": st.sampled_from([0.0, 1.0, -2.5, 100.0, 0.25, math.nan, None]),
            "PatientAge": st.sampled_from([0.0, 1.0, 100.0, None]),
            "AcquisitionDate": st.sampled_from([*map(dt.date.fromisoformat, DATES), None]),
            "AcquisitionDateTime": st.sampled_from([dt.datetime(2018, 6, 5, 23, 59), dt.datetime(2021, 1, 1), None]),  # noqa: DTZ001 - DICOM times name no zone
        }
    ),
    min_size=1,
    max_size=6,
)


def evaluate(node, row):
    """Return true, false or None, from the words of the specification and not from the code under test."""
    if isinstance(node, And | Or):
        values = [evaluate(operand, row) for operand in node.operands]
        decisive = isinstance(node, Or)
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    if isinstance(node, Not):
        value = evaluate(node.operand, row)
        return None if value is None else not value
    present = [value for name in FIELDS[node.field.name][1] if not _is_nothing(value := row[name])]
    if isinstance(node, Exists | Missing):
        return bool(present) == isinstance(node, Exists)
    return _compare(present[0], node) if present else None


def _compare(found, node):
    left = found.date() if isinstance(found, dt.datetime) else found
    if isinstance(node, In):
        return any(left == _read(node.field.name, value.text) for value in node.values)
    right = _read(node.field.name, node.value.text)
    return {
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }[node.operator.value]()


def _is_nothing(value):
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _read(name, text):
    if name == "device":
        return text
    return dt.date(*map(int, text.split("-"))) if name == "acquired" else float(text)


def _resolve(predicate, rows):
    """Resolve with one row that is always forgotten and one that always remains, as a cohort needs both."""
    blank = dict.fromkeys(KINDS)
    columns = {name: [row[name] for row in [*rows, blank, blank]] for name in KINDS}
    columns["anchor"] = [*["no"] * len(rows), "forget", "remain"]
    anchored = And((Or((predicate, parse("anchor == forget"))), parse("anchor != remain")))
    spec = CohortSpec(name="test", reason=Reason.OTHER, forget=anchored)
    with tempfile.TemporaryDirectory() as folder:
        cohort = spec.resolve(make_index(Path(folder) / "index", columns, {**KINDS, "anchor": Kind.TEXT}))
        return {name: part for part, ids in cohort.image_ids.items() for name in ids}


def _concrete(kind):
    for child in kind.__subclasses__():
        yield from _concrete(child)
    if not kind.__abstractmethods__:
        yield kind


def test_resolve_agrees_with_a_plain_evaluator():
    seen = set()

    @given(PREDICATES, ROWS)
    def compare(predicate, rows):
        seen.update(type(node) for node in predicate.walk())
        found = _resolve(predicate, rows)
        names = {True: "forget", False: "remain", None: "undetermined"}
        assert [found[f"i{number:02d}"] for number in range(len(rows))] == [
            names[evaluate(predicate, row)] for row in rows
        ]

    compare()
    assert seen == set(_concrete(Predicate))


_NAMES = st.one_of(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
    st.sampled_from(RESERVED),
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="`"), min_size=1, max_size=8),
).map(Field)
_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12),
    st.lists(st.sampled_from(["and", "OR", "in", "null", "800", "'", '"', "a", "[", "==", "$x"]), max_size=4).map(
        " ".join
    ),
).map(Value)
_ANY_LEAF = st.one_of(
    st.builds(Comparison, _NAMES, st.sampled_from(Operator), _TEXTS),
    st.builds(In, _NAMES, st.lists(_TEXTS, min_size=1, max_size=3).map(tuple)),
    st.builds(Exists, _NAMES),
    st.builds(Missing, _NAMES),
)


@given(st.recursive(_ANY_LEAF, _branches, max_leaves=8))
def test_the_canonical_text_reads_back_as_the_same_predicate(predicate):
    again = parse(str(predicate))
    assert again == predicate
    assert str(again) == str(predicate)


@pytest.mark.parametrize("node", sorted(_concrete(Predicate), key=lambda kind: kind.__name__))
def test_every_node_is_frozen(node):
    assert node.__dataclass_params__.frozen
