from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from monai_unlearn.cohort.query.field_sql import FieldSql, Plausibility
from monai_unlearn.cohort.query.sql import AGE_MACROS
from monai_unlearn.cohort.typing.columns import Bound
from monai_unlearn.vocabulary.fields import Kind

NAMES = {
    name: name
    for name in ("AcquisitionDateTime", "StudyDate", "PatientAge", "visit", "invalid", "partial", "PatientBirthDate")
}
NAMES["implausible"] = "Implausible_1"
ACQUIRED = Bound((("AcquisitionDateTime", Kind.DATETIME), ("StudyDate", Kind.DATE)), Kind.DATE)
AGE = Bound((("PatientAge", Kind.AGE),), Kind.AGE)
VISIT = Bound((("visit", Kind.DATE),), Kind.DATE)
DAY = dt.date(2018, 6, 5)
LATER = dt.date(2150, 1, 1)


def _ask(field, expression, **values):
    """Evaluate an expression of a field on one row; unnamed columns are null."""
    dates = dict.fromkeys(("StudyDate", "visit", "PatientBirthDate"), "DATE")
    types = {"AcquisitionDateTime": "TIMESTAMP", "PatientAge": "DOUBLE", **dates}
    columns = ", ".join(f'CAST(? AS {types.get(name, "VARCHAR")}) AS "{NAMES[name]}"' for name in NAMES)
    with duckdb.connect(":memory:") as connection:
        for macro in AGE_MACROS:
            connection.execute(macro)
        statement = f"SELECT {getattr(field, expression)} FROM (SELECT {columns})"  # noqa: S608 - the test\'s own text
        return connection.execute(statement, [values.get(name) for name in NAMES]).fetchone()[0]


def _field(bound, *, latest=dt.date(2026, 5, 1), keep=False, names=NAMES):
    return FieldSql(bound, names, Plausibility(latest=latest, keep=keep))


@pytest.mark.parametrize(
    ("row", "value", "present"),
    [
        ({"StudyDate": DAY}, DAY, True),
        ({"AcquisitionDateTime": dt.datetime(2018, 6, 6, 23), "StudyDate": DAY}, dt.date(2018, 6, 6), True),  # noqa: DTZ001
        ({"StudyDate": DAY, "invalid": "AcquisitionDateTime"}, None, True),
        ({"StudyDate": DAY, "invalid": "Rows\\AcquisitionDateTime\\PatientAge"}, None, True),
        ({"StudyDate": DAY, "invalid": "SeriesDate"}, DAY, True),
        ({"StudyDate": DAY, "partial": "AcquisitionDateTime=2018-06-01/2018-06-30"}, None, True),
        ({"invalid": "StudyDate"}, None, True),
        ({"invalid": "XStudyDate"}, None, None),
        ({"StudyDate": dt.date(1900, 1, 1)}, None, True),
        ({"StudyDate": LATER}, None, True),
        ({}, None, None),
    ],
)
def test_the_first_tag_that_is_present_decides(row, value, present):
    assert _ask(_field(ACQUIRED), "value", **row) == value
    assert bool(_ask(_field(ACQUIRED), "is_present", **row)) is bool(present)


@pytest.mark.parametrize(
    ("row", "days"),
    [
        ({"StudyDate": DAY}, (DAY, DAY)),
        ({"partial": "StudyDate=2018-06-01/2018-06-30"}, (dt.date(2018, 6, 1), dt.date(2018, 6, 30))),
        (
            {"partial": "ContentDate=2017-01-01/2017-12-31\\StudyDate=2018-06-01/2018-06-30"},
            (dt.date(2018, 6, 1), dt.date(2018, 6, 30)),
        ),
        ({"partial": "StudyDate=1900-01-01/1900-12-31"}, (None, None)),
        ({"partial": "StudyDate=2150-01-01/2150-12-31"}, (None, None)),
        ({"StudyDate": DAY, "invalid": "AcquisitionDateTime"}, (None, None)),
    ],
)
def test_a_date_has_a_first_and_a_last_day(row, days):
    field = _field(ACQUIRED)
    assert field.may_be_shortened
    assert (_ask(field, "first_day", **row), _ask(field, "last_day", **row)) == days


def test_implausible_values_count_where_the_spec_keeps_them_or_where_dates_are_shifted():
    assert _ask(_field(ACQUIRED, keep=True), "value", StudyDate=dt.date(1900, 1, 1)) == dt.date(1900, 1, 1)
    assert _ask(_field(ACQUIRED, latest=dt.date(2899, 12, 31)), "value", StudyDate=LATER) == LATER
    shortened = {"partial": "StudyDate=1900-01-01/1900-12-31"}
    assert _ask(_field(ACQUIRED, keep=True), "last_day", **shortened) == dt.date(1900, 12, 31)


def test_a_date_of_a_table_is_not_judged():
    assert _ask(_field(VISIT), "value", visit=dt.date(1900, 1, 1)) == dt.date(1900, 1, 1)
    assert not _field(VISIT).may_be_shortened


@pytest.mark.parametrize(
    ("years", "implausible", "value", "kept"),
    [
        (0.0, "PatientAge", None, 0.0),
        (0.0, None, 0.0, 0.0),
        (119.0, None, 119.0, 119.0),
        (120.0, None, None, 120.0),
        (float("nan"), None, None, None),
    ],
)
def test_ages_of_000y_and_of_120_years_or_more_are_unknown(years, implausible, value, kept):
    row = {"PatientAge": years, "implausible": implausible}
    assert _ask(_field(AGE), "value", **row) == value
    assert _ask(_field(AGE, keep=True), "value", **row) == kept


def test_an_index_without_columns_of_doubts_can_be_asked():
    names = {name: name for name in NAMES if name not in {"invalid", "partial", "implausible"}}
    assert _ask(_field(ACQUIRED, names=names), "value", StudyDate=DAY) == DAY
    assert not _field(ACQUIRED, names=names).may_be_shortened


@pytest.mark.parametrize(
    ("row", "value", "present"),
    [
        ({"PatientAge": 40.0, "visit": dt.date(2000, 6, 5), "StudyDate": DAY}, 40.0, True),
        ({"visit": dt.date(2000, 6, 5), "StudyDate": DAY}, 18.0, True),
        ({"visit": dt.date(2000, 6, 5), "StudyDate": DAY, "invalid": "PatientAge"}, None, True),
        # As in a tag: present, and in doubt.
        ({"visit": dt.date(2000, 6, 5), "StudyDate": LATER}, None, True),
        ({"visit": dt.date(2000, 6, 5), "StudyDate": DAY, "invalid": "AcquisitionDateTime"}, None, True),
        ({"visit": dt.date(2000, 6, 5), "partial": "StudyDate=2018-01-01/2018-12-31"}, None, True),
        ({"StudyDate": DAY}, None, False),
    ],
)
def test_an_age_is_computed_from_dates_that_are_known_where_none_is_stated(row, value, present):
    field = _field(Bound((("PatientAge", Kind.AGE),), Kind.AGE, between=(VISIT, ACQUIRED)))
    assert _ask(field, "value", **row) == value
    assert bool(_ask(field, "is_present", **row)) is present


@pytest.mark.parametrize(
    ("born", "day", "value", "kept"),
    [
        (dt.date(1901, 1, 2), dt.date(2021, 1, 1), 119.0, 119.0),
        (dt.date(1901, 1, 1), dt.date(2021, 1, 1), None, 120.0),
        # Placeholders of a birth date, also where the age would do.
        (dt.date(1900, 1, 1), dt.date(2018, 1, 1), None, 118.0),
        (dt.date(95, 1, 1), dt.date(2018, 1, 1), None, 1923.0),
        (dt.date(2999, 1, 1), dt.date(2018, 1, 1), None, None),
    ],
)
def test_an_age_between_dates_is_as_implausible_as_one_in_a_tag(born, day, value, kept):
    birth, acquired = (Bound(((name, Kind.DATE),), Kind.DATE) for name in ("PatientBirthDate", "StudyDate"))
    bound, row = Bound((), Kind.AGE, between=(birth, acquired)), {"PatientBirthDate": born, "StudyDate": day}
    assert _ask(_field(bound), "value", **row) == value
    assert _ask(_field(bound, keep=True), "value", **row) == kept
    assert _ask(_field(bound), "is_present", **row) is True


def test_a_column_that_is_complete_has_an_empty_value_where_nothing_is_stored():
    field = _field(Bound((("invalid", Kind.TEXT),), Kind.TEXT, complete=True))
    assert (_ask(field, "value"), _ask(field, "stored"), bool(_ask(field, "is_present"))) == ("", None, False)
    assert _ask(field, "value", invalid="StudyDate") == "StudyDate"
