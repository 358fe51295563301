from __future__ import annotations

import os

import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from same_rows import assert_same, is_fast

from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.fast_readers.elements import HeaderReader
from monai_unlearn.index.fast_readers.values import OddFileError

PATIENT_ID = b"\x10\x00\x20\x00"
STUDY_DATE = b"\x08\x00\x20\x00"


def elements(path, wanted):
    with path.open("rb") as stream:
        return HeaderReader(wanted).read(stream.fileno(), os.fstat(stream.fileno()).st_size)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_header_has_the_wanted_elements_and_the_place_of_the_pixels(syntax, tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 5, syntax=syntax)
    header = elements(path, {PATIENT_ID: "LO", STUDY_DATE: "DA"})
    assert header.elements == {PATIENT_ID: ("LO", b"P5"), STUDY_DATE: ("DA", b"20180605")}
    assert header.syntax.uid == syntax
    assert header.length == 8 * 8 * 3
    assert header.offset + header.length == path.stat().st_size


def test_header_of_another_byte_order_is_odd(tmp_path, make_dicom):
    with pytest.raises(OddFileError, match="^$"):
        elements(make_dicom(tmp_path / "a", syntax=ExplicitVRBigEndian), {})


def test_last_of_repeated_tags_counts_as_for_pydicom(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 3, StationName="AA")
    content = path.read_bytes()
    element = b"\x08\x00\x10\x10SH\x02\x00AA"
    assert element in content
    path.write_bytes(content.replace(element, element + element[:-2] + b"BB"))
    assert assert_same([path], Reader.PLAIN)["StationName"].to_pylist() == ["BB"]
    assert is_fast(path, Reader.PLAIN)


def test_header_longer_than_the_first_read(tmp_path, make_dicom):
    for size in (9_000, 100_000, 2_000_000):
        path = make_dicom(tmp_path / str(size), 3, ICCProfile=bytes(size))
        assert_same([path], Reader.PLAIN)
        assert is_fast(path, Reader.PLAIN) == (size < 1_000_000)
