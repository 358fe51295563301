from __future__ import annotations

import datetime as dt

import pytest

from monai_unlearn.cohort.typing.term_type import TermType
from monai_unlearn.cohort.typing.values import coerce
from monai_unlearn.vocabulary.fields import Kind


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
def test_what_a_value_means(text, kind, value):
    assert coerce(text, TermType(kind)) == value


@pytest.mark.parametrize("text", ["", "sixty", "nan", "inf", "1e999", "1_000", "0x10", "1,5", "٣", "060Y", " 1"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match="not a number"):
        coerce(text, TermType(Kind.AGE))


@pytest.mark.parametrize(
    "text", ["2019", "20190101", "2019-1-1", "2019-02-30", "01.02.2019", "2019-W01-1", "0000-01-01"]
)
def test_what_is_no_date(text):
    with pytest.raises(ValueError, match=r"not a date|day|year|month"):
        coerce(text, TermType(Kind.DATE))
