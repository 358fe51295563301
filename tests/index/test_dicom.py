from __future__ import annotations

import datetime as dt
import io
import struct
import zlib
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    BasicTextSRStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from monai_unlearn.index.readers import read_file

TEST_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def test_row_holds_typed_tags(tmp_path, make_dicom):
    row = read_file(make_dicom(tmp_path / "a", 3))
    assert row.get("fault") is None
    assert row["format"] == "dicom"
    assert row["PatientID"] == "P3"
    assert row["ManufacturerModelName"] == "Cirrus 800 FA"
    assert row["StudyDate"] == dt.date(2018, 6, 5)
    assert row["PatientAge"] == 45
    assert row["ImageType"] == "ORIGINAL\\PRIMARY"
    assert row["AcquisitionDate"] is None
    assert row["Rows"] == 8


def test_malformed_values_become_null_and_say_nothing(tmp_path, make_dicom, caplog, capsys):
    path = make_dicom(tmp_path / "a", StudyDate="20240101", PatientAge="045Y", SliceThickness="1.50", PatientID="X")
    content = path.read_bytes().replace(b"20240101", b"2024-99 ").replace(b"045Y", b"*** ").replace(b"1.50", b"1,5 ")
    path.write_bytes(content)
    row = read_file(path)
    assert row.get("fault") is None
    assert (row["StudyDate"], row["PatientAge"], row["SliceThickness"]) == (None, None, None)
    assert not caplog.records
    assert capsys.readouterr() == ("", "")


def test_settings_of_pydicom_are_left_as_they_were(tmp_path, make_dicom, monkeypatch):
    for mode in (pydicom.config.WARN, pydicom.config.RAISE):
        monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", mode)
        read_file(make_dicom(tmp_path / "a"))
        assert pydicom.config.settings.reading_validation_mode == mode
        assert not pydicom.config.logger.disabled


def test_text_is_decoded_by_its_character_set(tmp_path, make_dicom):
    row = read_file(make_dicom(tmp_path / "a", SpecificCharacterSet="ISO_IR 100", InstitutionName="Universität"))
    assert row["InstitutionName"] == "Universität"


def _native(dataset, syntax, **tags):
    return dataset(syntax=syntax, **tags)


def _compressed(dataset):
    made = dataset(NumberOfFrames=2, PixelData=bytes(range(192)) * 2)
    made.compress(RLELossless, generate_instance_uid=False)
    return made


def _with_tail(dataset):
    made = dataset()
    made.DataSetTrailingPadding = b"\0" * 30
    return made


def _with_tail_sequence(dataset):
    made = dataset()
    item = Dataset()
    item.MACIDNumber = 7
    made.DigitalSignaturesSequence = Sequence([item])
    made["DigitalSignaturesSequence"].is_undefined_length = True
    return made


FORMS = {
    "explicit": lambda dataset: _native(dataset, ExplicitVRLittleEndian),
    "implicit": lambda dataset: _native(dataset, ImplicitVRLittleEndian),
    "big endian": lambda dataset: _native(dataset, ExplicitVRBigEndian),
    "deflated": lambda dataset: _native(dataset, DeflatedExplicitVRLittleEndian),
    "compressed": _compressed,
    "trailing padding": _with_tail,
    "trailing sequence": _with_tail_sequence,
}
# The bytes from the end at which nothing tells a cut from an end: the pixel data ends, and an element that
# nobody requires follows; or a deflated data set ends, and is padded to an even length.
PIXELS_END = {"trailing padding": 12 + 30, "trailing sequence": 12 + 8 + 8 + 2 + 8, "deflated": 1}


@pytest.mark.parametrize("form", FORMS)
def test_file_cut_anywhere_is_never_good(form, tmp_path, dataset):
    buffer = io.BytesIO()
    FORMS[form](dataset).save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    path = tmp_path / "cut.dcm"
    path.write_bytes(content)
    assert read_file(path).get("fault") is None
    size = len(content)
    offsets = {size * percent // 100 for percent in range(100)} | set(range(size - 60, size))
    for offset in sorted(offsets - {size - PIXELS_END.get(form, 0)}):
        path.write_bytes(content[:offset])
        assert read_file(path).get("fault") in {"truncated", "not_an_image", "empty_file", "unreadable"}, offset


def test_pixel_data_shorter_than_the_image_is_truncated(tmp_path, make_dicom):
    assert read_file(make_dicom(tmp_path / "a", Rows=9))["fault"] == "truncated"
    assert read_file(make_dicom(tmp_path / "b", PixelData=b""))["fault"] == "truncated"
    assert read_file(make_dicom(tmp_path / "c", Rows=7)).get("fault") is None


def test_pixels_that_nothing_describes_must_be_there(tmp_path, make_dicom):
    assert read_file(make_dicom(tmp_path / "a", SamplesPerPixel=None)).get("fault") is None
    assert read_file(make_dicom(tmp_path / "b", SamplesPerPixel=None, PixelData=b""))["fault"] == "truncated"


def test_value_that_its_representation_cannot_hold_is_null(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 5, SliceThickness="1.5")
    thickness = b"\x18\x00\x50\x00DS\x04\x001.5 "
    content = path.read_bytes()
    assert thickness in content
    path.write_bytes(content.replace(thickness, b"\x18\x00\x50\x00FL\x03\x00abc"))
    row = read_file(path)
    assert (row.get("fault"), row["SliceThickness"], row["Rows"]) == (None, None, 8)
    rows = b"\x28\x00\x10\x00US\x02\x00\x08\x00"
    assert rows in content
    path.write_bytes(content.replace(rows, b"\x28\x00\x10\x00US\x03\x00abc"))
    row = read_file(path)
    assert (row["fault"], row["Rows"], row["PatientID"]) == ("unreadable", None, "P5")


def test_fragments_are_followed_to_their_delimiter(tmp_path, dataset):
    path = tmp_path / "a"
    _compressed(dataset).save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    delimiter = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    assert content.endswith(delimiter)
    path.write_bytes(content[:-8] + struct.pack("<HHL", 0xFFFE, 0xE00D, 0))
    assert read_file(path)["fault"] == "truncated"
    head = content[: content.index(b"\xe0\x7f\x10\x00OB") + 12]
    path.write_bytes(head + delimiter)
    assert read_file(path)["fault"] == "truncated"


def test_what_was_read_of_a_cut_file_is_kept(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 5)
    path.write_bytes(path.read_bytes()[:-1])
    row = read_file(path)
    assert (row["fault"], row["PatientID"]) == ("truncated", "P5")


def test_bytes_behind_the_data_set_do_no_harm(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a")
    content = path.read_bytes()
    for behind in (b"\0" * 300, b"\x08\x00\x05\x00CS\x04\x00ABCD"):
        path.write_bytes(content + behind)
        assert read_file(path).get("fault") is None


def test_report_is_no_image_and_image_without_pixels_is_truncated(tmp_path, make_dicom):
    no_pixels = dict.fromkeys(("PixelData", "Rows", "Columns"))
    report = make_dicom(tmp_path / "sr", SOPClassUID=BasicTextSRStorage, **no_pixels)
    assert read_file(report)["fault"] == "not_an_image"
    assert read_file(make_dicom(tmp_path / "op", PixelData=None))["fault"] == "truncated"
    assert read_file(make_dicom(tmp_path / "private", SOPClassUID="1.2.3.4", **no_pixels))["fault"] == "truncated"


def test_image_without_a_name_is_a_fault(tmp_path, make_dicom):
    assert read_file(make_dicom(tmp_path / "a", SOPInstanceUID=None))["fault"] == "missing_sop_instance_uid"


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


def test_deflate_bomb_is_refused(tmp_path, dataset):
    made = dataset(syntax=DeflatedExplicitVRLittleEndian)
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    length = 80 * 1024 * 1024
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = deflater.compress(struct.pack("<HH2sHL", 9, 0x1010, b"OB", 0, length) + b"\0" * length) + deflater.flush()
    group_length = struct.unpack("<L", content[140:144])[0]
    path = tmp_path / "bomb"
    path.write_bytes(content[: 144 + group_length] + bomb)
    assert path.stat().st_size < 200_000
    assert read_file(path) == {"format": "dicom", "fault": "too_large_inflated"}


def test_deflated_file_is_read(tmp_path, make_dicom):
    row = read_file(make_dicom(tmp_path / "a", 2, syntax=DeflatedExplicitVRLittleEndian))
    assert (row.get("fault"), row["PatientID"]) == (None, "P2")


@pytest.mark.filterwarnings("ignore")  # pydicom's own, of the test's reading
@pytest.mark.parametrize("path", sorted(TEST_FILES.rglob("*.dcm")), ids=lambda path: path.name)
def test_files_that_pydicom_ships_have_a_row(path):
    row = read_file(path)
    if row.get("fault") == "truncated":
        assert "PixelData" not in pydicom.dcmread(path) or path.name == "MR_truncated.dcm"
    elif row.get("fault") == "not_an_image" and row.get("format") == "dicom":
        assert "PixelData" not in pydicom.dcmread(path)
    elif row.get("fault") is None:
        dataset = pydicom.dcmread(path)
        assert row["SOPInstanceUID"] == dataset.SOPInstanceUID
        assert row["Manufacturer"] == (str(dataset.get("Manufacturer", "")).strip() or None)
    else:
        assert row["fault"] in {"not_an_image", "missing_sop_instance_uid"}
