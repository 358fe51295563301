from __future__ import annotations

import io
import struct

import pytest
from pydicom.uid import RLELossless

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.pixels import PixelElement, check_pixels


@pytest.mark.parametrize(
    ("declared", "stored", "fault"),
    [
        (192, 192, None),
        (194, 194, None),  # padding
        (192, 191, Fault.TRUNCATED),
        (190, 190, Fault.PIXEL_DATA_SHORT),
        (0, 0, Fault.PIXEL_DATA_MISSING),
    ],
)
def test_declared_length_is_compared_with_the_image_and_the_file(declared, stored, fault, dataset):
    made = dataset()
    del made.PixelData
    element = PixelElement(stream=io.BytesIO(bytes(stored)), tag=0x7FE00010, vr="OB", offset=0, length=declared)
    assert check_pixels(made, element) is fault


def test_pixel_data_shorter_than_the_image_is_a_fault(tmp_path, make_dicom):
    assert read_file(make_dicom(tmp_path / "a", Rows=9))["fault"] == "pixel_data_short"
    assert read_file(make_dicom(tmp_path / "b", PixelData=b""))["fault"] == "pixel_data_missing"
    assert read_file(make_dicom(tmp_path / "c", Rows=7)).get("fault") is None


def test_pixels_without_a_description_must_not_be_empty(tmp_path, make_dicom):
    assert read_file(make_dicom(tmp_path / "a", SamplesPerPixel=None)).get("fault") is None
    assert read_file(make_dicom(tmp_path / "b", SamplesPerPixel=None, PixelData=b""))["fault"] == "pixel_data_missing"


def test_fragments_are_followed_to_their_delimiter(tmp_path, dataset):
    path = tmp_path / "a"
    made = dataset(NumberOfFrames=2, PixelData=bytes(range(192)) * 2)
    made.compress(RLELossless, generate_instance_uid=False)
    made.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    delimiter = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    assert content.endswith(delimiter)
    path.write_bytes(content[:-8] + struct.pack("<HHL", 0xFFFE, 0xE00D, 0))
    assert read_file(path)["fault"] == "truncated"
    head = content[: content.index(b"\xe0\x7f\x10\x00OB") + 12]
    path.write_bytes(head + delimiter)
    assert read_file(path)["fault"] == "truncated"


def test_bytes_after_the_data_set_are_ignored(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a")
    content = path.read_bytes()
    for behind in (b"\0" * 300, b"\x08\x00\x05\x00CS\x04\x00ABCD"):
        path.write_bytes(content + behind)
        assert read_file(path).get("fault") is None
