from __future__ import annotations

import datetime as dt

import pytest

from monai_unlearn.index.plausible import age_keywords, are_shifted, date_keywords, latest_plausible, today


@pytest.mark.parametrize(
    ("built", "shifted", "latest"),
    [
        (dt.date(2026, 5, 1), False, dt.date(2026, 5, 1)),
        (dt.date(2026, 5, 1), True, dt.date(2899, 12, 31)),
        (None, False, dt.date(2899, 12, 31)),
        (dt.date(3000, 1, 1), False, dt.date(2899, 12, 31)),
    ],
)
def test_the_latest_plausible_day_is_that_of_the_build_unless_dates_are_shifted(built, shifted, latest):
    assert latest_plausible(built, are_shifted=shifted) == latest


@pytest.mark.parametrize(
    ("dated", "after", "shifted"), [(0, 0, False), (10, 8, False), (10, 9, True), (1000, 899, False), (3, 3, True)]
)
def test_dates_are_shifted_where_nine_of_ten_lie_after_the_build(dated, after, shifted):
    assert are_shifted(dated, after) is shifted


def test_only_dicom_keywords_are_judged():
    columns = ["visit", "StudyDate", "AcquisitionDateTime", "age", "PatientAge", "Rows"]
    assert date_keywords(columns) == ["StudyDate", "AcquisitionDateTime"]
    assert age_keywords(columns) == ["PatientAge"]


def test_today_is_a_day_without_a_time():
    assert type(today()) is dt.date
