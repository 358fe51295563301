from __future__ import annotations

import datetime as dt

import pytest
from pydicom.multival import MultiValue
from pydicom.valuerep import IS, DSfloat

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
