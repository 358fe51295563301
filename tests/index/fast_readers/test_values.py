from __future__ import annotations

import datetime as dt

import pytest
from pydicom.datadict import tag_for_keyword

from monai_unlearn.index.fast_readers import values
from monai_unlearn.index.fast_readers.values import (
    OddFileError,
    column_of,
    knows_plain_charset,
    odd_tags,
    wanted_columns,
)
from monai_unlearn.index.readers.row import OTHER_IDS, read_columns
from monai_unlearn.vocabulary.fields import Kind


@pytest.mark.parametrize(
    ("keyword", "kind", "vr", "raw", "charset", "expected"),
    [
        ("PatientID", Kind.TEXT, "LO", b" P1 ", b"", "P1"),
        ("PatientID", Kind.TEXT, "LO", b"A\\B", b"", "A\\B"),
        ("PatientID", Kind.TEXT, "LO", b"  ", b"", None),
        ("StudyDate", Kind.DATE, "DA", b"20180605", b"", dt.date(2018, 6, 5)),
        ("PatientAge", Kind.AGE, "AS", b"045Y", b"", 45.0),
        ("SliceThickness", Kind.NUMBER, "DS", b"1.50", b"", 1.5),
        ("Rows", Kind.NUMBER, "US", b"\x08\x00", b"", 8.0),
        ("StudyInstanceUID", Kind.TEXT, "UI", b"1.2.3\0", b"", "1.2.3"),
        ("InstitutionName", Kind.TEXT, "LO", b"Universit\xe4t", b"ISO_IR 100", "Universität"),
        ("InstitutionName", Kind.TEXT, "LO", "山田".encode(), b"ISO_IR 192", "山田"),
    ],
)
def test_value_is_decoded(keyword, kind, vr, raw, charset, expected):
    column = column_of(keyword, kind)
    assert column.value(vr, raw, charset) == expected
    assert column.value(vr, raw, charset) == expected  # from its cache


@pytest.mark.parametrize(
    ("keyword", "kind", "vr", "raw", "charset"),
    [
        ("StudyDate", Kind.DATE, "DA", b"20240231", b""),
        ("SliceThickness", Kind.NUMBER, "DS", b"1.5\\2", b""),
        ("StudyInstanceUID", Kind.TEXT, "UI", b"1.2.x", b""),
        ("InstitutionName", Kind.TEXT, "LO", b"Universit\xe4t", b""),
        ("InstitutionName", Kind.TEXT, "LO", b"Universit\xe4t", b"ISO_IR 192"),
        ("InstitutionName", Kind.TEXT, "LO", b"\xb4", b"ISO_IR 144"),
    ],
)
def test_value_that_is_not_certain_is_odd(keyword, kind, vr, raw, charset):
    with pytest.raises(OddFileError, match="^$"):
        column_of(keyword, kind).value(vr, raw, charset)


def test_same_bytes_in_another_character_set_are_another_value():
    column = column_of("InstitutionName", Kind.TEXT)
    raw = "ä".encode()
    assert column.value("LO", raw, b"ISO_IR 192") == "ä"
    assert column.value("LO", raw, b"ISO_IR 100") == "Ã¤"


def test_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(values, "_MOST_CACHED", 3)
    column = column_of("PatientID", Kind.TEXT)
    for number in range(20):
        column.value("LO", f"P{number}".encode(), b"")
        assert len(column.known) <= 3


def test_common_character_sets_are_known():
    assert all(map(knows_plain_charset, (b"", b"ISO_IR 6", b"ISO_IR 100", b"ISO_IR 192")))
    assert not any(map(knows_plain_charset, (b"ISO_IR 144", b"ISO 2022 IR 87", b"utf-8")))


def test_columns_are_those_of_every_reader():
    kinds = {column.keyword: column.kind for column in wanted_columns()}
    assert {**kinds, OTHER_IDS: Kind.TEXT} == read_columns()
    assert OTHER_IDS not in kinds
    assert tag_for_keyword(OTHER_IDS) in odd_tags()
    with pytest.raises(ValueError, match="NoKeyword"):
        column_of("NoKeyword")
