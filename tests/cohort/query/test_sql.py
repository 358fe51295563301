from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.sql import AGE_MACROS, SEVERAL_MACROS, SqlContext, quoted
from monai_unlearn.cohort.typing.columns import Bound
from monai_unlearn.cohort.typing.term_type import TermType
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.units import parse_unit

CONTEXT = SqlContext(
    {
        "device": Bound((("Device", Kind.TEXT),), Kind.TEXT),
        "acquired": Bound((("A", Kind.DATETIME), ("S", Kind.DATE)), Kind.DATE),
        "vpf": Bound((("vpf", Kind.NUMBER),), Kind.NUMBER, parse_unit("mm")),
    },
    {"Device": "Device_1", "A": "A", "S": "S", "vpf": 'v"pf'},
    {"limits": ("1", "2 cm")},
)


def test_an_identifier_cannot_end_its_quotes():
    assert quoted('a" OR 1=1 --') == '"a"" OR 1=1 --"'


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("device", "NULLIF(\"Device_1\", '')"),
        ("acquired", 'CASE WHEN CAST("A" AS DATE) IS NOT NULL THEN CAST("A" AS DATE) ELSE CAST("S" AS DATE) END'),
        ("vpf", 'NULLIF(CAST("v""pf" AS DOUBLE), CAST(\'NaN\' AS DOUBLE))'),
    ],
)
def test_a_field_is_its_columns_under_duckdb_s_names_and_null_where_the_value_is_missing(name, expression):
    assert CONTEXT.expression(Field(name)) == expression


def test_an_age_is_computed_where_none_of_its_columns_has_a_value():
    born, day = Bound((("A", Kind.DATE),), Kind.DATE), Bound((("S", Kind.DATE),), Kind.DATE)
    for columns, expected in [
        ((), 'CASE WHEN age_at(CAST("A" AS DATE), CAST("S" AS DATE)) < 120.0 THEN age_at('),
        ((("vpf", Kind.AGE),), "CASE WHEN NULLIF("),
    ]:
        context = SqlContext({"age": Bound(columns, Kind.AGE, between=(born, day))}, CONTEXT.in_sql)
        assert context.expression(Field("age")).startswith(expected)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("2000-06-05", "2018-06-04", 17),
        ("2000-06-05", "2018-06-05", 18),
        ("2000-02-29", "2018-02-28", 17),
        ("2018-01-15", "2018-07-15", 0.5),
        ("2018-01-15", "2018-01-15", 0),
        ("2018-01-16", "2018-01-15", None),
        ("2018-01-16", None, None),
        (None, "2018-01-16", None),
    ],
)
def test_an_age_is_in_completed_years_and_below_two_years_in_completed_months(born, day, age):
    with duckdb.connect() as connection:
        for macro in AGE_MACROS:
            connection.execute(macro)
        found = connection.execute("SELECT age_at(CAST(? AS DATE), CAST(? AS DATE))", [born, day]).fetchone()
    assert found == (age,)


def test_values_are_coerced_to_the_type_of_their_term():
    length = CONTEXT.type_of(Field("vpf"))
    assert CONTEXT.values(Value("1 cm"), length) == (10.0,)
    assert CONTEXT.values(Reference("limits"), length) == (1.0, 20.0)
    assert CONTEXT.values(Value("2018-01-31"), TermType(Kind.DATE)) == (dt.date(2018, 1, 31),)


@pytest.mark.parametrize(
    ("entries", "numbers"),
    [
        (None, None),
        ("", None),
        ("Rows=1.0/1e+22", [1.0, 1e22]),
        ("Columns=1.0/2.0\\Rows=-2.5/3.0", [-2.5, 3.0]),
        ("Columns=1.0/2.0\\MyRows=-2.5/3.0", None),
    ],
)
def test_several_numbers_are_those_of_their_tag(entries, numbers):
    assert _macro("numbers_of(?, 'Rows')", entries) == numbers


def test_several_days_are_those_of_dates_and_times():
    days = [dt.date(2018, 6, 1), dt.date(2018, 7, 2)]
    assert _macro("days_of(?, 'x')", "x=2018-06-01/2018-07-02T23:59:59.5") == days


def _macro(text, entries):
    with duckdb.connect(":memory:") as connection:
        for macro in SEVERAL_MACROS:
            connection.execute(macro)
        return connection.execute(f"SELECT {text}", [entries]).fetchone()[0]
