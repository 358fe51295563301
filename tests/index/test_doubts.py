from __future__ import annotations

import datetime as dt

import pytest

from monai_unlearn.index.doubts import DOUBTS, Doubts, partial_entry
from monai_unlearn.vocabulary.fields import Kind


def test_a_row_without_doubts_has_empty_columns():
    assert Doubts().columns() == dict.fromkeys(DOUBTS)


def test_entries_are_joined_by_backslashes_in_the_order_of_the_tags():
    doubts = Doubts()
    doubts.note_invalid("StudyDate")
    doubts.note_invalid("PatientAge")
    assert doubts.note_value("ContentDate", Kind.DATE, "2018")
    assert doubts.note_value("AcquisitionDateTime", Kind.DATETIME, "201802-0500")
    doubts.note_several("Rows", [1.0, 2.0])
    doubts.note_several("SliceThickness", [1e-07, 0.5, 1e22])
    assert doubts.columns() == {
        "invalid": "StudyDate\\PatientAge",
        "partial": "ContentDate=2018-01-01/2018-12-31\\AcquisitionDateTime=2018-02-01/2018-02-28",
        "implausible": None,
        "several_values": "Rows=1.0/2.0\\SliceThickness=1e-07/0.5/1e+22",
    }


@pytest.mark.parametrize(
    ("kind", "value", "column"),
    [
        (Kind.AGE, "000Y", "implausible"),
        (Kind.AGE, "0Y", "implausible"),
        (Kind.AGE, "000D", None),
        (Kind.AGE, "000W", None),
        (Kind.AGE, "001Y", None),
        (Kind.DATE, "20180605", None),
        (Kind.TEXT, "2018", None),
        (Kind.NUMBER, "2018", None),
    ],
)
def test_only_shortened_dates_and_placeholder_ages_are_noted(kind, value, column):
    doubts = Doubts()
    assert doubts.note_value("Keyword", kind, value) is False
    assert [name for name, found in doubts.columns().items() if found] == ([column] if column else [])


def test_a_shortened_date_has_its_first_and_last_day():
    entry = partial_entry("StudyDate", dt.date(2020, 2, 1), dt.date(2020, 2, 29))
    assert entry == "StudyDate=2020-02-01/2020-02-29"
