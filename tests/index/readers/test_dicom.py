from __future__ import annotations

import datetime as dt
import io
import struct
import tracemalloc
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

from monai_unlearn.index.faults import Fault
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
    assert row["fault"] == "invalid_date"
    assert Fault.of(row["fault"]).usable
    assert (row["StudyDate"], row["PatientAge"], row["SliceThickness"], row["PatientID"]) == (None, None, None, "X")
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


CUT = {"truncated", "not_an_image", "empty_file", "element_beyond_file", "pixel_data_missing"}


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
        assert read_file(path).get("fault") in CUT, offset


def test_pixel_data_shorter_than_the_image_is_a_fault(tmp_path, make_dicom):
    assert read_file(make_dicom(tmp_path / "a", Rows=9))["fault"] == "pixel_data_short"
    assert read_file(make_dicom(tmp_path / "b", PixelData=b""))["fault"] == "pixel_data_missing"
    assert read_file(make_dicom(tmp_path / "c", Rows=7)).get("fault") is None


def test_pixels_that_nothing_describes_must_be_there(tmp_path, make_dicom):
    assert read_file(make_dicom(tmp_path / "a", SamplesPerPixel=None)).get("fault") is None
    assert read_file(make_dicom(tmp_path / "b", SamplesPerPixel=None, PixelData=b""))["fault"] == "pixel_data_missing"


def test_value_that_its_representation_cannot_hold_is_null(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 5, SliceThickness="1.5")
    thickness = b"\x18\x00\x50\x00DS\x04\x001.5 "
    content = path.read_bytes()
    assert thickness in content
    path.write_bytes(content.replace(thickness, b"\x18\x00\x50\x00FL\x03\x00abc"))
    row = read_file(path)
    assert (row["fault"], row["SliceThickness"], row["Rows"]) == ("invalid_number", None, 8)
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


def test_report_is_no_image_and_image_without_pixels_lacks_them(tmp_path, make_dicom):
    no_pixels = dict.fromkeys(("PixelData", "Rows", "Columns"))
    report = make_dicom(tmp_path / "sr", SOPClassUID=BasicTextSRStorage, **no_pixels)
    assert read_file(report)["fault"] == "not_an_image"
    assert read_file(make_dicom(tmp_path / "op", PixelData=None))["fault"] == "pixel_data_missing"
    private = make_dicom(tmp_path / "private", SOPClassUID="1.2.3.4", **no_pixels)
    assert read_file(private)["fault"] == "pixel_data_missing"


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
    fault = row.get("fault")
    dataset = pydicom.dcmread(path) if row.get("format") == "dicom" else None
    if fault in {"truncated", "not_an_image", "pixel_data_missing"} and dataset is not None:
        assert "PixelData" not in dataset or path.name == "MR_truncated.dcm"
    elif fault is None or Fault.of(fault).usable:
        assert row["SOPInstanceUID"] == dataset.SOPInstanceUID
        assert row["Manufacturer"] == (str(dataset.get("Manufacturer", "")).strip() or None)
    else:
        assert fault in {"not_an_image", "missing_sop_instance_uid"}


def _edited(path, make_dicom, before, after, **tags):
    content = make_dicom(path, 5, **tags).read_bytes()
    assert content.count(before) >= 1
    path.write_bytes(content.replace(before, after))
    return read_file(path)


@pytest.mark.filterwarnings("ignore")  # pydicom's own, of the test's writing
@pytest.mark.parametrize(
    ("keyword", "value", "fault"),
    [
        ("StudyDate", "20240231", "invalid_date"),
        ("AcquisitionDateTime", "20240101250000", "invalid_date"),
        ("PatientAge", "45", "invalid_age"),
        ("SliceThickness", "NaN", "invalid_number"),
        ("StudyInstanceUID", "not.a.uid", "invalid_uid"),
        ("SeriesInstanceUID", "1." * 32 + "1", "invalid_uid"),
    ],
)
def test_value_that_is_none_is_null_and_the_image_counts(keyword, value, fault, tmp_path, make_dicom):
    row = read_file(make_dicom(tmp_path / "a", 5, **{keyword: value}))
    assert (row["fault"], row[keyword]) == (fault, None)
    assert Fault.of(fault).usable
    assert row["PatientID"] == "P5"


def test_image_whose_uid_is_none_cannot_be_named(tmp_path, make_dicom):
    row = _edited(tmp_path / "a", make_dicom, b"1.2.345", b"1.2.34x", SOPInstanceUID="1.2.345")
    assert (row["fault"], row["SOPInstanceUID"]) == ("missing_sop_instance_uid", None)


def test_text_that_its_character_set_cannot_say_is_null(tmp_path, make_dicom):
    name = "Universität"
    utf = _edited(
        tmp_path / "a",
        make_dicom,
        name.encode(),
        b"Universit\xe4\xe4t",
        SpecificCharacterSet="ISO_IR 192",
        InstitutionName=name,
    )
    assert (utf["fault"], utf["InstitutionName"], utf["PatientID"]) == ("undecodable_text", None, "P5")


@pytest.mark.parametrize("charset", [b"ISO_IR 999", b"punycode  ", b"hex       "])
def test_character_set_that_dicom_does_not_have_costs_only_what_needs_it(charset, tmp_path, make_dicom):
    tags = {"SpecificCharacterSet": "ISO_IR 100", "InstitutionName": "Universität"}
    row = _edited(tmp_path / "a", make_dicom, b"ISO_IR 100", charset, **tags)
    assert (row["fault"], row["InstitutionName"]) == ("undecodable_text", None)
    assert (row["PatientID"], row["ManufacturerModelName"]) == ("P5", "Cirrus 800 FA")
    plain = {**tags, "InstitutionName": "University"}
    row = _edited(tmp_path / "b", make_dicom, b"ISO_IR 100", charset, **plain)
    assert (row.get("fault"), row["InstitutionName"]) == (None, "University")


def test_misspelt_character_set_is_understood(tmp_path, make_dicom):
    tags = {"SpecificCharacterSet": "ISO_IR 100", "InstitutionName": "Universität"}
    row = _edited(tmp_path / "a", make_dicom, b"ISO_IR 100", b"ISO-IR 100", **tags)
    assert (row.get("fault"), row["InstitutionName"]) == (None, "Universität")


def test_gravest_fault_of_the_values_is_the_row_s(tmp_path, make_dicom):
    tags = {"PatientAge": "045Y", "StudyDate": "20180605"}
    path = make_dicom(tmp_path / "a", **tags)
    path.write_bytes(path.read_bytes().replace(b"045Y", b"*** ").replace(b"DA\x08\x0020180605", b"DA\x08\x00*****   "))
    row = read_file(path)
    assert (row["fault"], row["PatientAge"], row["StudyDate"]) == ("invalid_date", None, None)


def test_element_longer_than_the_file_is_told_from_a_cut(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", DeviceSerialNumber="SN000001")
    element = b"\x18\x00\x00\x10LO\x08\x00SN000001"
    content = path.read_bytes()
    assert element in content
    path.write_bytes(content.replace(element, b"\x18\x00\x00\x10UN\x00\x00\x00\x00\xff\x7fSN000001"))
    row = read_file(path)
    assert (row["fault"], row["PatientID"]) == ("element_beyond_file", "P0")
    path.write_bytes(content[: content.index(element) + 11])
    assert read_file(path)["fault"] == "truncated"


def test_meta_element_longer_than_any_is_not_loaded(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a")
    content = path.read_bytes()
    version = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00"
    assert version in content
    path.write_bytes(content.replace(version, version[:-4] + b"\x00\x00\x00\x7f"))
    assert read_file(path) == {"format": "dicom", "fault": "element_beyond_file"}


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


def test_deflate_bomb_takes_little_memory(tmp_path, dataset):
    made = dataset(syntax=DeflatedExplicitVRLittleEndian)
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = b"".join(deflater.compress(b"\0" * 1024 * 1024) for _ in range(300)) + deflater.flush()
    path = tmp_path / "bomb"
    path.write_bytes(content[: 144 + struct.unpack("<L", content[140:144])[0]] + bomb)
    assert path.stat().st_size < 310_000
    tracemalloc.start()
    assert read_file(path) == {"format": "dicom", "fault": "too_large_inflated"}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_damaged_deflated_file_is_unreadable(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", syntax=DeflatedExplicitVRLittleEndian)
    content = bytearray(path.read_bytes())
    start = 144 + struct.unpack("<L", content[140:144])[0]
    content[start] = 0x07  # a block of a type that there is not
    path.write_bytes(content)
    assert read_file(path)["fault"] == "unreadable"
