from __future__ import annotations

import datetime as dt

import pytest

from monai_unlearn.cohort.typing.term_type import TermType
from monai_unlearn.cohort.typing.values import UnitError, coerce
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.units import parse_unit


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("007", Kind.TEXT, "007"),
        ("007", Kind.NUMBER, 7.0),
        ("-.5e1", Kind.NUMBER, -5.0),
        ("3.", Kind.AGE, 3.0),
        ("2020-02-29", Kind.DATE, dt.date(2020, 2, 29)),
        ("2020-02-29", Kind.DATETIME, dt.date(2020, 2, 29)),
    ],
)
def test_a_value_is_coerced_to_the_kind_of_its_term(text, kind, value):
    assert coerce(text, TermType(kind)) == value


@pytest.mark.parametrize("text", ["", "sixty", "nan", "inf", "1e999", "1_000", "0x10", "1,5", "٣", "060Y", " 1"])
def test_a_text_that_is_not_a_number(text):
    with pytest.raises(ValueError, match="not a number"):
        coerce(text, TermType(Kind.AGE))


@pytest.mark.parametrize(
    "text", ["2019", "20190101", "2019-1-1", "2019-02-30", "01.02.2019", "2019-W01-1", "0000-01-01"]
)
def test_a_text_that_is_not_a_date(text):
    with pytest.raises(ValueError, match=r"not a date|day|year|month"):
        coerce(text, TermType(Kind.DATE))


@pytest.mark.parametrize(
    ("text", "unit", "value"), [("1.1 cm", "mm", 11.0), ("11mm", "mm", 11.0), ("11", "mm", 11.0), ("50 %", "1", 0.5)]
)
def test_a_number_is_converted_to_the_unit_of_its_term(text, unit, value):
    assert coerce(text, TermType(Kind.NUMBER, parse_unit(unit))) == value


def test_an_age_is_in_years():
    assert coerce("18 months", TermType(Kind.AGE)) == 1.5


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        ("3 ml", TermType(Kind.NUMBER, parse_unit("mm")), "is in mm: ml cannot be converted to mm"),
        ("3 mm", TermType(Kind.NUMBER, parse_unit("mm2")), r"is in mm\^2: mm cannot be converted to mm\^2"),
        (
            "3 mm",
            TermType(Kind.NUMBER),
            r"has no declared unit, so mm cannot be converted to it\. .*--unit COLUMN=UNIT",
        ),
        ("3 mm", TermType(Kind.AGE), "is in year: mm cannot be converted to year"),
    ],
)
def test_a_unit_that_cannot_be_converted(text, wanted, message):
    with pytest.raises(UnitError, match=message):
        coerce(text, wanted)
