from __future__ import annotations

import datetime as dt

import pytest
from pydicom.multival import MultiValue
from pydicom.valuerep import IS, DSfloat

from monai_unlearn.index import values
from monai_unlearn.index.values import coerce
from monai_unlearn.vocabulary.fields import Kind


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.TEXT, "  Cirrus 800 FA \0", "Cirrus 800 FA"),
        (Kind.TEXT, "", None),
        (Kind.TEXT, " \0 ", None),
        (Kind.TEXT, None, None),
        (Kind.TEXT, MultiValue(str, ["ORIGINAL ", "PRIMARY"]), "ORIGINAL\\PRIMARY"),
        (Kind.TEXT, MultiValue(str, ["", ""]), None),
        (Kind.TEXT, MultiValue(str, ["", "B"]), "\\B"),
        (Kind.TEXT, b"UNKNOWN VR ", "UNKNOWN VR"),
        (Kind.TEXT, "half \ud800", "half ?"),
        (Kind.NUMBER, DSfloat("1.5"), 1.5),
        (Kind.NUMBER, IS("512"), 512.0),
        (Kind.NUMBER, " 3 ", 3.0),
        (Kind.NUMBER, "1,5", None),
        (Kind.NUMBER, "1_000", None),
        (Kind.NUMBER, "NaN", None),
        (Kind.NUMBER, float("inf"), None),
        (Kind.NUMBER, 10**400, None),
        (Kind.NUMBER, MultiValue(DSfloat, ["1", "2"]), None),
        (Kind.NUMBER, None, None),
        (Kind.DATE, "20180605", dt.date(2018, 6, 5)),
        (Kind.DATE, "2018.06.05", dt.date(2018, 6, 5)),
        (Kind.DATE, "2018-06-05", None),
        (Kind.DATE, "20249999", None),
        (Kind.DATE, "2024-99-99", None),
        (Kind.DATE, "***", None),
        (Kind.DATE, "201806", None),
        (Kind.DATE, MultiValue(str, ["20180605", "20180606"]), None),
        (Kind.DATETIME, "20180605101112.5+0100", dt.datetime(2018, 6, 5, 10, 11, 12, 500_000)),  # noqa: DTZ001 - DICOM's are local
        (Kind.DATETIME, "20180605", dt.datetime(2018, 6, 5)),  # noqa: DTZ001
        (Kind.DATETIME, "201806", None),
        (Kind.DATETIME, "20180605250000", None),
        (Kind.DATETIME, "***", None),
        (Kind.AGE, "045Y", 45.0),
        (Kind.AGE, "45Y", 45.0),
        (Kind.AGE, "000Y", 0.0),
        (Kind.AGE, "018M", 1.5),
        (Kind.AGE, "010D", 10 / 365.25),
        (Kind.AGE, "003W", 21 / 365.25),
        (Kind.AGE, "***", None),
        (Kind.AGE, "45", None),
        (Kind.AGE, "", None),
    ],
)
def test_value_is_typed_or_null(kind: Kind, value: object, expected: object) -> None:
    assert coerce(kind, value) == (pytest.approx(expected) if isinstance(expected, float) else expected)


@pytest.mark.parametrize(
    ("kind", "value", "days"),
    [
        (Kind.DATETIME, "2018", ("2018-01-01", "2018-12-31")),
        (Kind.DATETIME, "201802", ("2018-02-01", "2018-02-28")),
        (Kind.DATETIME, "202002 ", ("2020-02-01", "2020-02-29")),
        (Kind.DATETIME, "201812+0530", ("2018-12-01", "2018-12-31")),
        (Kind.DATETIME, "2018-0500", ("2018-01-01", "2018-12-31")),
        (Kind.DATE, "2018", ("2018-01-01", "2018-12-31")),
        (Kind.DATE, "999912", ("9999-12-01", "9999-12-31")),
        (Kind.DATETIME, "2018-2019", None),
        (Kind.DATETIME, "201813", None),
        (Kind.DATETIME, "201800", None),
        (Kind.DATETIME, "0000", None),
        (Kind.DATETIME, "20181", None),
        (Kind.DATETIME, "20180605", None),
        (Kind.DATE, "2018-0500", None),
        (Kind.DATE, "20180101-20181231", None),
        (Kind.DATE, "", None),
        (Kind.DATE, None, None),
        (Kind.NUMBER, "2018", None),
    ],
)
def test_a_shortened_date_has_a_first_and_a_last_day(kind, value, days):
    found = values.shortened(kind, value)
    assert (None if found is None else tuple(map(str, found))) == days


@pytest.mark.parametrize(
    ("value", "day"),
    [("20181231233000-0500", 31), ("20181231233000+1400", 31), ("20181231-1500", None), ("20181231233000-2018", None)],
)
def test_a_time_zone_is_left_out_of_the_day_and_must_be_one(value, day):
    found = values.datetime(value)
    assert (None if found is None else found.day) == day
