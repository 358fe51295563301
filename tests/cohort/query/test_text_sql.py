from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.query.sql import SqlContext
from monai_unlearn.cohort.query.text_sql import TextTerm, comparands, in_natural_order, is_whole
from monai_unlearn.cohort.typing.bind import bind
from monai_unlearn.cohort.typing.columns import Columns
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.folding import SQL_MACROS


def _context(text, **value_sets):
    columns = Columns({"device": Kind.TEXT, "SoftwareVersions": Kind.TEXT}, {}, "l")
    bound = bind([parse(text)], columns, name="s", value_sets=value_sets)
    return SqlContext(bound, {name: name for name in columns.kinds}, value_sets)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("device == a\u2011b", ("a-b", "folded(x)")),
        ("device == 'a\u2011b'", ("a\u2011b", "x")),
        ("device == @one", ("a -b", "folded(x)")),
        ("version(device) == V6", ("000000000000000006", "x")),
    ],
)
def test_quoted_values_are_compared_exactly_and_all_others_folded(text, expected):
    node = parse(text)
    ((value, form),) = comparands(node.term, node.value, _context(text, one=["a  \u2011b"]))
    assert (value, form("x")) == expected


def test_only_several_texts_are_taken_apart():
    text = "device == x and software == x and version(software) == 6"
    single, several, made = (TextTerm(part.term, _context(text)) for part in parse(text).operands)
    conditions = [term.condition(lambda x: in_natural_order(x, [("<", "7")])).text for term in (single, several, made)]
    assert ["STRING_SPLIT" in condition for condition in conditions] == [False, True, True]
    assert (made.is_made, several.is_made) == (True, False)


@pytest.mark.parametrize(
    ("text", "holds"),
    [("0004711", True), ("4000", True), ("5001", False), ("A4711", None), ("4711.5", None), (None, None)],
)
def test_natural_order_is_unknown_for_a_text_of_another_pattern(text, holds):
    condition = in_natural_order("text", [(">=", "0004000"), ("<=", "5000")])
    with duckdb.connect() as connection:
        for macro in SQL_MACROS:
            connection.execute(macro)
        statement = f"SELECT {condition.text} FROM (SELECT ? AS text)"  # noqa: S608 - of the package's own text
        found = connection.execute(statement, [*condition.parameters, text])
        assert found.fetchone() == (holds,)


def test_a_value_with_a_backslash_is_compared_with_the_whole():
    assert is_whole("A\\B", parse("device == x").term)
    assert not is_whole("A\\B", parse("any(device) == x").term)
    assert not is_whole("A", parse("device == x").term)
