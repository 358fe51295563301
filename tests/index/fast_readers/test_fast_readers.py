"""The readers return the same rows, on every available file."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydicom.data import get_testdata_files
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from same_rows import assert_same, is_fast

from monai_unlearn.index.fast_readers import Reader, read_files, schema
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Listed, Walk
from monai_unlearn.phantom import write_fundus_studies

DATA = os.environ.get("MONAI_UNLEARN_DATA")
needs_gdcm = pytest.mark.skipif(find_spec("gdcm") is None, reason="python-gdcm is not installed")
FAST = [Reader.PLAIN, pytest.param(Reader.GDCM, marks=needs_gdcm)]


@pytest.mark.parametrize("reader", FAST)
def test_same_rows_on_the_files_that_pydicom_ships(reader):
    files = sorted(path for path in map(Path, get_testdata_files()) if path.is_file())
    assert len(files) > 100
    assert_same(files, reader)


@pytest.mark.parametrize("reader", FAST)
def test_same_rows_on_phantoms_and_each_is_read_fast(reader, tmp_path):
    write_fundus_studies(tmp_path / "studies", patients=8, size=64)
    files = list(Walk([tmp_path / "studies"]))
    found = assert_same(files, reader)
    assert found["fault"].null_count >= found.num_rows - 1
    assert all(is_fast(file.path, reader) for file in files if file.path.endswith(".dcm"))


@pytest.mark.skipif(DATA is None, reason="MONAI_UNLEARN_DATA does not name the folder of real data")
@pytest.mark.parametrize("reader", FAST)
def test_same_rows_on_files_of_five_mr_scanners(reader):
    assert assert_same(list(Walk([Path(DATA) / "dicom_mr"])), reader).num_rows == 110


# Tags, and whether each reader itself reads a file with them: plain, GDCM.
CASES = {
    "padding": ({"StationName": " S1 ", "PatientID": "P 1 ", "PatientAge": "045Y"}, True, True),
    "several values": ({"ImageType": ["DERIVED", "", "COLOR"], "SoftwareVersions": ["1", "2.0"]}, True, True),
    "several values in place of one": ({"PatientID": "A\\B", "StationName": "\\"}, True, True),
    "missing and empty": ({"StudyDate": None, "PatientAge": "", "StationName": None, "PatientID": ""}, True, True),
    "numbers": ({"SliceThickness": "1.50", "MagneticFieldStrength": "-3e0 ", "Rows": 8}, True, True),
    "several numbers": ({"SliceThickness": ["1.5", "2"]}, False, False),
    "western": ({"SpecificCharacterSet": "ISO_IR 100", "InstitutionName": "Universität"}, True, True),
    "unicode": ({"SpecificCharacterSet": "ISO_IR 192", "InstitutionName": "山田 大学"}, True, True),
    "cyrillic": ({"SpecificCharacterSet": "ISO_IR 144", "InstitutionName": "\u0414\u0416\u0418"}, False, False),
    "japanese": ({"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "InstitutionName": "山田"}, False, False),
    "no date": ({"StudyDate": "20240231", "AcquisitionDateTime": "2018"}, False, False),
    "older date": ({"StudyDate": "2018.06.05"}, True, True),
    "no age": ({"PatientAge": "45"}, False, False),
    "no number": ({"SliceThickness": "NaN"}, False, False),
    "no UID": ({"StudyInstanceUID": "not.a.uid"}, False, False),
    "no name": ({"SOPInstanceUID": None}, False, False),
    "no pixels": ({"PixelData": None}, False, False),
    "too few pixels": ({"Rows": 9}, False, False),
    "more pixels than the image takes": ({"Rows": 7}, True, False),
    "undescribed pixels": ({"SamplesPerPixel": None}, False, False),
    "frames": ({"NumberOfFrames": "2", "Rows": 4}, True, True),
    "behind the pixels": ({"DataSetTrailingPadding": bytes(30)}, False, False),
    "implicit": ({"syntax": ImplicitVRLittleEndian, "StationName": "S1"}, True, True),
    "long text": ({"StudyDescription": "x" * 20_000}, False, False),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", FAST)
def test_same_rows_whatever_the_values(reader, tmp_path, make_dicom):
    files = {name: make_dicom(tmp_path / name, 3, **tags) for name, (tags, *_) in CASES.items()}
    assert_same(files.values(), reader)
    fast = {name: is_fast(path, reader) for name, path in files.items()}
    which = 1 if reader is Reader.PLAIN else 2
    assert fast == {name: case[which] for name, case in CASES.items()}


def test_files_that_are_not_dicom_have_the_same_rows(tmp_path, make_image):
    files = [make_image(tmp_path / "a.png"), tmp_path / "empty", tmp_path / "words"]
    files[1].touch()
    files[2].write_text("words", encoding="utf-8")
    for reader in (Reader.PLAIN, Reader.GDCM) if find_spec("gdcm") else (Reader.PLAIN,):
        assert assert_same(files, reader)["fault"].to_pylist() == [None, "empty_file", "not_an_image"]


def test_file_whose_fault_is_known_is_not_opened(tmp_path):
    file = Listed(path=str(tmp_path / "absent"), relative="absent", fault=Fault.PATH_NOT_UNICODE)
    assert read_files([file], reader=Reader.AUTO)["fault"].to_pylist() == ["path_not_unicode"]


def test_rows_have_the_schema_and_order_of_the_files(tmp_path, make_dicom):
    files = [
        Listed(path=str(make_dicom(tmp_path / name, number)), relative=name, size=7, mtime_ns=8)
        for number, name in enumerate("ba")
    ]
    rows = read_files(files, reader=Reader.AUTO)
    assert rows.schema == schema()
    assert rows.select(["path", "file_size", "file_mtime_ns", "PatientID"]).to_pylist() == [
        {"path": file.path, "file_size": 7, "file_mtime_ns": 8, "PatientID": patient}
        for file, patient in zip(files, ("P0", "P1"), strict=True)
    ]


@pytest.mark.parametrize("reader", FAST)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [False, True])
def test_same_further_identifiers_of_a_patient(reader, syntax, undefined, dataset, tmp_path):
    item = Dataset()
    item.PatientID, item.IssuerOfPatientID = "OLD", "HOSP"
    made = dataset(
        1, syntax=syntax, IssuerOfPatientID="HOSP_B", OtherPatientIDs=["A", "B"], PatientBirthDate="19700304"
    )
    made.OtherPatientIDsSequence = [item]
    made["OtherPatientIDsSequence"].is_undefined_length = undefined
    made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (row,) = assert_same([tmp_path / "a.dcm"], reader).to_pylist()
    assert (row["other_ids"], row["issuer"]) == ("A\\B\\OLD^^^HOSP", "HOSP_B")
    assert row["fault"] is None


@pytest.mark.parametrize("reader", FAST)
def test_same_placeholders_and_derived_objects(reader, make_dicom, tmp_path):
    files = [
        make_dicom(tmp_path / "a.dcm", 1, PatientID="ANONYMOUS"),
        make_dicom(tmp_path / "b.dcm", 2, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4"),
    ]
    found = assert_same(files, reader)
    assert found["faults"].to_pylist() == ["placeholder_patient_id", "derived_object"]
