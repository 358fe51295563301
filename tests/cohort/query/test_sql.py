from __future__ import annotations

import datetime as dt

import pytest

from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.sql import SqlContext, quoted
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
        ("acquired", 'COALESCE(CAST("A" AS DATE), CAST("S" AS DATE))'),
        ("vpf", 'NULLIF(CAST("v""pf" AS DOUBLE), CAST(\'NaN\' AS DOUBLE))'),
    ],
)
def test_a_field_is_its_columns_under_duckdb_s_names_and_null_where_the_value_is_missing(name, expression):
    assert CONTEXT.expression(Field(name)) == expression


def test_values_are_coerced_to_the_type_of_their_term():
    length = CONTEXT.type_of(Field("vpf"))
    assert CONTEXT.values(Value("1 cm"), length) == (10.0,)
    assert CONTEXT.values(Reference("limits"), length) == (1.0, 20.0)
    assert CONTEXT.values(Value("2018-01-31"), TermType(Kind.DATE)) == (dt.date(2018, 1, 31),)
