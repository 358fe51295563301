from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from monai_unlearn.index.notes import DateTally
from monai_unlearn.index.store.schema import BASE_COLUMNS, part_schema
from monai_unlearn.vocabulary.fields import Kind

BUILT = dt.date(2026, 5, 1)
KINDS = {**BASE_COLUMNS, "StudyDate": Kind.DATE, "AcquisitionDateTime": Kind.DATETIME, "PatientAge": Kind.AGE}


def _notes(*rows, built=BUILT):
    table = pa.Table.from_pylist(
        [{"image_id": str(number), **row} for number, row in enumerate(rows)], part_schema(KINDS)
    )
    tally = DateTally(built)
    tally.add(table)
    return tally, tally.noted(table)["faults"].to_pylist()


def _day(*parts):
    return {"StudyDate": dt.date(*parts)}


KNOWN = [_day(2018, 6, day) for day in range(1, 21)]


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (_day(1900, 1, 1), "implausible_date"),
        (_day(1900, 1, 2), None),
        (_day(95, 7, 24), "implausible_date"),
        (_day(2026, 5, 1), None),
        (_day(2026, 5, 2), "implausible_date"),
        (_day(2999, 12, 31), "implausible_date"),
        ({"AcquisitionDateTime": dt.datetime(1900, 1, 1, 12)}, "implausible_date"),  # noqa: DTZ001 - no zones
        ({"partial": "AcquisitionDateTime=2018-12-01/2018-12-31"}, "partial_date"),
        (
            {"partial": "StudyDate=2018-12-01/2018-12-31\\ContentDate=2099-01-01/2099-12-31"},
            "partial_date\\implausible_date",
        ),
        ({"PatientAge": 119.9}, None),
        ({"PatientAge": 120.0}, "implausible_age"),
        ({"PatientAge": 0.0}, None),
        ({"PatientAge": 0.0, "implausible": "PatientAge"}, "implausible_age"),
        ({**_day(1900, 1, 1), "fault": "truncated", "faults": "truncated"}, "truncated\\implausible_date"),
        ({**_day(1900, 1, 1), "PatientAge": 120.0}, "implausible_age\\implausible_date"),
        ({}, None),
    ],
)
def test_a_row_with_a_date_or_age_in_doubt_has_a_note(row, note):
    assert _notes(row, *KNOWN)[1][0] == note


def test_dates_that_nearly_all_lie_after_the_build_are_shifted_and_placeholders_stay_implausible():
    later = [_day(2150, 1, day) for day in range(1, 19)]
    tally, notes = _notes(*later, _day(2018, 1, 1), _day(1900, 1, 1), {})
    assert (tally.dated, tally.after, tally.are_shifted) == (19, 18, True)
    assert notes == ["dates_shifted"] * 18 + [None, "implausible_date", None]


def test_a_shortened_date_counts_with_its_first_day():
    tally, _ = _notes({"partial": "StudyDate=2150-01-01/2150-12-31"}, {"partial": "StudyDate=2026-01-01/2026-12-31"})
    assert (tally.dated, tally.after) == (2, 1)


def test_files_that_are_no_images_do_not_decide_whether_dates_are_shifted():
    tally, _ = _notes(*({**_day(2150, 1, 1), "fault": "truncated"} for _ in range(50)), _day(2018, 1, 1))
    assert (tally.dated, tally.after) == (1, 0)
