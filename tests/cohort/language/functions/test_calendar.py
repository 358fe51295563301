from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.cohort.language.functions.calendar import CALENDAR
from monai_unlearn.vocabulary.fields import Kind

SQL = {function.name: function.sql for function in CALENDAR}


@pytest.mark.parametrize(
    ("name", "day", "value"),
    [
        ("year", "DATE '2018-12-31'", 2018),
        ("month", "DATE '2018-12-31'", 12),
        ("month", "DATE '2019-01-01'", 1),
        ("year", "CAST(NULL AS DATE)", None),
    ],
)
def test_a_date_has_a_year_and_a_month_counted_from_one(name, day, value):
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {SQL[name]([day])}").fetchone() == (value,)


def test_the_functions_take_dates():
    assert {function.takes for function in CALENDAR} == {Kind.DATE}
