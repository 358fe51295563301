from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.cohort.language.term import Each, Field, Quantifier
from monai_unlearn.cohort.query.several_sql import on_values, values_of
from monai_unlearn.cohort.query.sql import SEVERAL_MACROS, Sql, SqlContext
from monai_unlearn.cohort.typing.columns import Bound
from monai_unlearn.vocabulary.fields import Kind

TAG = '(0019,"O\'NEIL=",10)'
NAMES = {name: name for name in ("Rows", TAG, "score", "several_values")}
CONTEXT = SqlContext(
    {name: Bound(((name, Kind.NUMBER),), Kind.NUMBER, many=name != "score") for name in ("Rows", TAG, "score")}, NAMES
)
ROWS, ANY, ALL = Field("Rows"), Each(Quantifier.ANY, Field("Rows")), Each(Quantifier.ALL, Field("Rows"))


def _ask(text, parameters=(), *, rows=None, several=None):
    tag = TAG.replace('"', '""')
    columns = f'SELECT ?::DOUBLE AS Rows, NULL::DOUBLE AS "{tag}", 7.0 AS score, ?::VARCHAR AS several_values'
    with duckdb.connect(":memory:") as connection:
        for macro in SEVERAL_MACROS:
            connection.execute(macro)
        statement = f"SELECT {text} FROM ({columns})"  # noqa: S608 - the test's own text
        return connection.execute(statement, [*parameters, rows, several]).fetchone()[0]


@pytest.mark.parametrize(
    ("term", "rows", "several", "answer"),
    [
        (ROWS, 6.0, None, True),
        (ROWS, None, None, None),
        (ROWS, None, "Rows=1.0/6.0", True),
        (ROWS, None, "Rows=1.0/2.0", False),
        (ANY, None, "Columns=1.0/2.0\\Rows=1.0/1e+22", True),
        (ANY, 6.0, "Columns=1.0/2.0", True),
        (ALL, None, "Rows=1.0/6.0", False),
        (ALL, None, "Rows=6.0/7.0", True),
        (ALL, 6.0, None, True),
        (ALL, None, "MyRows=6.0/7.0", None),
        (Field(TAG), None, f"Rows=1.0/2.0\\{TAG}=5.5/6.0", True),
        (Field(TAG), None, "Rows=1.0/6.0", None),
        (Field("score"), None, "score=1.0/2.0", True),
    ],
)
def test_one_value_is_enough_unless_all_must_meet_a_condition(term, rows, several, answer):
    sql = on_values(term, CONTEXT, lambda x: Sql(f"{x} > ?", (5,)))
    assert _ask(sql.text, sql.parameters, rows=rows, several=several) is answer


def test_one_value_and_each_of_several_may_be_asked_in_other_forms():
    sql = on_values(ROWS, CONTEXT, lambda x: Sql(f"{x} > ?", (5,)), each=lambda x: Sql(f"{x} < ?", (0,)))
    assert _ask(sql.text, sql.parameters, rows=6.0) is True
    assert _ask(sql.text, sql.parameters, several="Rows=6.0/7.0") is False
    given = on_values(ROWS, CONTEXT, lambda x: Sql(f"{x} > ?", (5,)), one=Sql("FALSE"))
    assert _ask(given.text, given.parameters, rows=6.0) is False
    assert _ask(given.text, given.parameters, several="Rows=1.0/7.0") is True


@pytest.mark.parametrize(
    ("rows", "several", "found"), [(6.0, None, [6.0]), (None, None, [None]), (None, "Rows=1.0/6.0", [1.0, 6.0])]
)
def test_the_values_are_those_of_all_frames(rows, several, found):
    assert _ask(values_of(ANY, CONTEXT), rows=rows, several=several) == found
    assert _ask(values_of(Field("score"), CONTEXT), several="score=1.0/2.0") == [7.0]
