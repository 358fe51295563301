from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.term import Call, Field, Term
from monai_unlearn.cohort.query.sql import SqlContext
from monai_unlearn.cohort.query.term_sql import argument_sql, term_sql
from monai_unlearn.cohort.typing.columns import Bound
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.units import parse_unit

BOUND = {
    "mm": Bound((("mm", Kind.NUMBER),), Kind.NUMBER, parse_unit("mm")),
    "cm": Bound((("cm", Kind.NUMBER),), Kind.NUMBER, parse_unit("cm")),
    "zero": Bound((("zero", Kind.NUMBER),), Kind.NUMBER),
    "nothing": Bound((("nothing", Kind.NUMBER),), Kind.NUMBER, parse_unit("mm")),
    "day": Bound((("day", Kind.DATE),), Kind.DATE),
}
CONTEXT = SqlContext(BOUND, {name: name for name in BOUND})
ROW = 'SELECT 5.0 AS "mm", 2.0 AS "cm", 0.0 AS "zero", CAST(NULL AS DOUBLE) AS "nothing", DATE \'2018-03-31\' AS "day"'


def _value(text):
    term = parse(f"{text} > 0").term
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {term_sql(term, CONTEXT)} FROM ({ROW})").fetchone()[0]  # noqa: S608


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mm", 5),
        ("-mm", -5),
        ("mm + cm", 25),  # millimetres: the unit of the first
        ("cm - mm", 1.5),
        ("mm * cm", 10),  # the unit of a product is that of its factors
        ("mm / zero", None),
        ("mm + nothing", None),
        ("mean(mm, cm)", 12.5),
        ("max(nothing, mm)", None),
        ("abs(3 - 2 * mm)", 7),
        ("1e308 * 10 * mm", None),
        ("year(day)", 2018),
        ("month(day)", 3),
    ],
)
def test_the_value_of_a_term(text, value):
    assert _value(text) == value


def test_arguments_are_in_one_unit_where_the_function_keeps_it():
    first, second = argument_sql(Call("mean", (Field("mm"), Field("cm"))), CONTEXT)
    assert first == term_sql(Field("mm"), CONTEXT)
    assert "CAST(10.0 AS DOUBLE)" in second
    assert argument_sql(Call("isolation_forest", (Field("mm"), Field("cm"))), CONTEXT)[1] == CONTEXT.expression(
        Field("cm")
    )


def test_a_statistic_is_the_expression_that_the_context_has_for_it():
    call = Call("zscore", (Field("mm"),))
    assert term_sql(call, SqlContext(BOUND, {}, statistics={call: "statistic_0.z"})) == "statistic_0.z"


def test_a_term_without_a_handler_raises():
    class Strange(Term):
        def render(self, **_):
            return "?"

    with pytest.raises(NotImplementedError, match="Strange"):
        term_sql(Strange(), CONTEXT)
