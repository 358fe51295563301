from __future__ import annotations

import io
import struct
import tracemalloc

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.header import LONGEST_VALUE, HeaderEnd, read_header


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_header_has_the_tags_and_the_place_of_the_pixels(syntax, tmp_path, make_dicom):
    with make_dicom(tmp_path / "a", 5, syntax=syntax).open("rb") as stream:
        dataset, end = read_header(stream)
        end.stream.seek(end.pixels.offset)
        pixels = end.stream.read(end.pixels.length)
    assert dataset.PatientID == "P5"
    assert "PixelData" not in dataset
    assert len(pixels) == 8 * 8 * 3
    assert end.fault() is None


def noted(*elements, size):
    """Note elements of (tag, position of the value, length)."""
    end = HeaderEnd(io.BytesIO(bytes(size)), size)
    for tag, position, length in elements:
        end.stream.seek(position)
        end.note(tag, None, length)
    return end


@pytest.mark.parametrize(
    ("elements", "fault"),
    [
        ([(0x00100020, 8, 12)], Fault.PIXEL_DATA_MISSING),  # ends the file
        ([(0x00100020, 8, 10)], Fault.TRUNCATED),  # two bytes of another element follow
        ([(0x00100020, 8, 13)], Fault.TRUNCATED),
        ([(0x00100020, 8, 21)], Fault.ELEMENT_BEYOND_FILE),
        ([(0x00100020, 8, 4), (0x7FE00010, 16, 4)], None),
    ],
)
def test_end_of_the_elements_shows_the_fault(elements, fault):
    assert noted(*elements, size=20).fault() is fault


def test_long_values_are_noted():
    end = noted((0x00100020, 0, LONGEST_VALUE), (0x00100010, 0, LONGEST_VALUE + 1), size=10**6)
    assert end.too_long == {0x00100010}


def test_element_longer_than_the_file_is_not_mistaken_for_a_cut(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", DeviceSerialNumber="SN000001")
    element = b"\x18\x00\x00\x10LO\x08\x00SN000001"
    content = path.read_bytes()
    assert element in content
    path.write_bytes(content.replace(element, b"\x18\x00\x00\x10UN\x00\x00\x00\x00\xff\x7fSN000001"))
    row = read_file(path)
    assert (row["fault"], row["PatientID"]) == ("element_beyond_file", "P0")
    path.write_bytes(content[: content.index(element) + 11])
    assert read_file(path)["fault"] == "truncated"


@pytest.mark.filterwarnings("ignore")  # pydicom's own, of the test's writing
def test_value_far_too_long_is_not_loaded(tmp_path, dataset):
    made = dataset(syntax=ImplicitVRLittleEndian, SliceThickness="1.5")
    made.ManufacturerModelName = "X" * 20_000_000
    path = tmp_path / "a"
    made.save_as(path, enforce_file_format=True)
    del made
    tracemalloc.start()
    row = read_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (row["fault"], row["ManufacturerModelName"], row["SliceThickness"]) == ("undecodable_text", None, 1.5)
    assert peak < 5_000_000


def test_sequence_nested_too_deep_is_a_fault(tmp_path, dataset):
    made = dataset(syntax=ImplicitVRLittleEndian)
    pixels = made["PixelData"].value
    del made.PixelData
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    undefined = 0xFFFFFFFF
    depth = 3000
    nest = struct.pack("<HHLHHL", 0x0040, 0x0275, undefined, 0xFFFE, 0xE000, undefined) * depth
    close = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0) * depth
    element = struct.pack("<HHL", 0x7FE0, 0x0010, len(pixels)) + pixels
    path = tmp_path / "deep"
    path.write_bytes(buffer.getvalue() + nest + close + element)
    assert read_file(path) == {"format": "dicom", "fault": "too_deep"}
