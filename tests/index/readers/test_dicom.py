from __future__ import annotations

import datetime as dt
import io
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


def test_row_has_typed_tags(tmp_path, make_dicom):
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


def test_malformed_values_become_null_silently(tmp_path, make_dicom, caplog, capsys):
    path = make_dicom(tmp_path / "a", StudyDate="20240101", PatientAge="045Y", SliceThickness="1.50", PatientID="X")
    content = path.read_bytes().replace(b"20240101", b"2024-99 ").replace(b"045Y", b"*** ").replace(b"1.50", b"1,5 ")
    path.write_bytes(content)
    row = read_file(path)
    assert row["fault"] == "invalid_date"
    assert Fault.of(row["fault"]).usable
    assert (row["StudyDate"], row["PatientAge"], row["SliceThickness"], row["PatientID"]) == (None, None, None, "X")
    assert not caplog.records
    assert capsys.readouterr() == ("", "")


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
# The distance from the end, in bytes, at which a cut looks like an end: after the pixel data, before an optional
# element; or after a deflated data set, before its padding to an even length.
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


def test_value_that_does_not_fit_its_representation_is_null(tmp_path, make_dicom):
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


def test_what_was_read_of_a_cut_file_is_kept(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 5)
    path.write_bytes(path.read_bytes()[:-1])
    row = read_file(path)
    assert (row["fault"], row["PatientID"]) == ("truncated", "P5")


def test_report_is_not_an_image_but_an_image_without_pixels_is_faulty(tmp_path, make_dicom):
    no_pixels = dict.fromkeys(("PixelData", "Rows", "Columns"))
    report = make_dicom(tmp_path / "sr", SOPClassUID=BasicTextSRStorage, **no_pixels)
    assert read_file(report)["fault"] == "derived_object"
    assert read_file(make_dicom(tmp_path / "op", PixelData=None))["fault"] == "pixel_data_missing"
    private = make_dicom(tmp_path / "private", SOPClassUID="1.2.3.4", **no_pixels)
    assert read_file(private)["fault"] == "pixel_data_missing"


def test_image_without_a_uid_is_a_fault(tmp_path, make_dicom):
    assert read_file(make_dicom(tmp_path / "a", SOPInstanceUID=None))["fault"] == "missing_sop_instance_uid"


@pytest.mark.filterwarnings("ignore")  # pydicom's own, of the test's reading
@pytest.mark.parametrize("path", sorted(TEST_FILES.rglob("*.dcm")), ids=lambda path: path.name)
def test_files_that_pydicom_ships_have_a_row(path):
    row = read_file(path)
    fault = row.get("fault")
    dataset = pydicom.dcmread(path, force=True) if row.get("format") == "dicom" else None
    if fault in {"truncated", "not_an_image", "pixel_data_missing"} and dataset is not None:
        assert "PixelData" not in dataset or path.name == "MR_truncated.dcm"
    elif fault is None or Fault.of(fault).usable:
        assert row["SOPInstanceUID"] == dataset.SOPInstanceUID
        assert row["Manufacturer"] == (str(dataset.get("Manufacturer", "")).strip() or None)
    else:
        assert fault in {"derived_object", "not_an_image", "missing_sop_instance_uid"}


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
def test_invalid_value_is_null_and_the_image_counts(keyword, value, fault, tmp_path, make_dicom):
    row = read_file(make_dicom(tmp_path / "a", 5, **{keyword: value}))
    assert (row["fault"], row[keyword]) == (fault, None)
    assert Fault.of(fault).usable
    assert row["PatientID"] == "P5"


def test_image_with_an_invalid_uid_has_none(tmp_path, make_dicom):
    row = _edited(tmp_path / "a", make_dicom, b"1.2.345", b"1.2.34x", SOPInstanceUID="1.2.345")
    assert (row["fault"], row["SOPInstanceUID"]) == ("missing_sop_instance_uid", None)


def test_text_that_cannot_be_decoded_is_null(tmp_path, make_dicom):
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
def test_unknown_character_set_affects_only_text_beyond_ascii(charset, tmp_path, make_dicom):
    tags = {"SpecificCharacterSet": "ISO_IR 100", "InstitutionName": "Universität"}
    row = _edited(tmp_path / "a", make_dicom, b"ISO_IR 100", charset, **tags)
    assert (row["fault"], row["InstitutionName"]) == ("undecodable_text", None)
    assert (row["PatientID"], row["ManufacturerModelName"]) == ("P5", "Cirrus 800 FA")
    plain = {**tags, "InstitutionName": "University"}
    row = _edited(tmp_path / "b", make_dicom, b"ISO_IR 100", charset, **plain)
    assert (row.get("fault"), row["InstitutionName"]) == (None, "University")


def test_misspelt_character_set_is_recognised(tmp_path, make_dicom):
    tags = {"SpecificCharacterSet": "ISO_IR 100", "InstitutionName": "Universität"}
    row = _edited(tmp_path / "a", make_dicom, b"ISO_IR 100", b"ISO-IR 100", **tags)
    assert (row.get("fault"), row["InstitutionName"]) == (None, "Universität")


def test_most_serious_fault_of_the_values_is_that_of_the_row(tmp_path, make_dicom):
    tags = {"PatientAge": "045Y", "StudyDate": "20180605"}
    path = make_dicom(tmp_path / "a", **tags)
    path.write_bytes(path.read_bytes().replace(b"045Y", b"*** ").replace(b"DA\x08\x0020180605", b"DA\x08\x00*****   "))
    row = read_file(path)
    assert (row["fault"], row["PatientAge"], row["StudyDate"]) == ("invalid_date", None, None)
