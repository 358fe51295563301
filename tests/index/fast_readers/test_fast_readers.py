"""The readers return the same rows, on every available file."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydicom.data import get_testdata_files
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, VLWholeSlideMicroscopyImageStorage
from same_rows import assert_same, is_fast

from monai_unlearn.index.fast_readers import Reader, plain, read_files, schema
from monai_unlearn.index.fast_readers.elements import odd_elements
from monai_unlearn.index.fast_readers.values import odd_tags, wanted_columns
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Listed, Walk
from monai_unlearn.index.readers import header
from monai_unlearn.index.readers import row as row_module
from monai_unlearn.index.readers.row import tag_paths
from monai_unlearn.phantom import write_fundus_studies
from monai_unlearn.vocabulary.fields import Kind, vocabulary

DATA = os.environ.get("MONAI_UNLEARN_DATA")
needs_gdcm = pytest.mark.skipif(find_spec("gdcm") is None, reason="python-gdcm is not installed")
# What depends on the vocabulary.
_CACHED = (header._vocabulary_paths, header._wanted_tags, plain._columns, plain._reader, plain._empty_row)
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
    "more pixels than the image takes": ({"Rows": 7}, True, True),
    "undescribed pixels": ({"SamplesPerPixel": None}, False, False),
    "frames": ({"NumberOfFrames": "2", "Rows": 4}, True, True),
    "words for a side": ({"ImageLaterality": "OS"}, True, True),
    "contradicting sides": ({"ImageLaterality": "R", "Laterality": "L"}, False, False),
    "whole slide": ({"SOPClassUID": VLWholeSlideMicroscopyImageStorage}, False, False),
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


@pytest.mark.parametrize("reader", FAST)
@pytest.mark.parametrize(
    ("element", "changed"),
    [
        (b"\x18\x00\x00\x10LO\x08\x00SN000001", b"\x18\x00\x00\x10UN\x00\x00\x00\x00\xff\x7fSN000001"),
        (b"\x28\x00\x03\x01US\x02\x00", b"\x28\x00\x03\x01US\x04\x00"),  # the next element seems endless
    ],
)
def test_same_rows_of_an_element_beyond_the_file(element, changed, reader, tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", DeviceSerialNumber="SN000001")
    content = path.read_bytes()
    assert element in content
    path.write_bytes(content.replace(element, changed))
    assert assert_same([path], reader)["fault"].to_pylist() == ["element_beyond_file"]
    assert not is_fast(path, reader)


@pytest.mark.parametrize("reader", FAST)
def test_same_rows_of_a_text_with_zero_bytes(reader, tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", StationName="ROOM1234")
    path.write_bytes(path.read_bytes().replace(b"ROOM1234", b"ROOM\x00234"))
    assert_same([path], reader)


@pytest.mark.parametrize("reader", FAST)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_vocabulary_may_name_file_meta_sequences_and_private_tags(reader, syntax, tmp_path, dataset, monkeypatch):
    """As after a change of `fields.yaml`."""
    names = ("TransferSyntaxUID", "AnatomicRegionSequence.CodeMeaning", '(0019,"GEMS_ACQU_01",BB)')
    known = vocabulary()
    changed = replace(known, dicom={**known.dicom, **dict.fromkeys(names, Kind.TEXT)})
    monkeypatch.setattr(row_module, "vocabulary", lambda: changed)
    caches = [tag_paths, schema, wanted_columns, odd_tags, odd_elements, *_CACHED]
    for cached in caches:
        cached.cache_clear()
    made = dataset(syntax=syntax)
    made.AnatomicRegionSequence = [code("Eye"), code("Lens")]
    made.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0xBB, "DS", "2.5")
    made.save_as(tmp_path / "a", enforce_file_format=True)
    dataset(1, syntax=syntax).save_as(tmp_path / "b", enforce_file_format=True)
    try:
        listed = [Listed(path=str(tmp_path / name), relative="", size=0) for name in "ab"]
        found = read_files(listed, reader=reader)
        assert [found[name].to_pylist() for name in names] == [[syntax] * 2, ["Eye\\Lens", None], ["2.5", None]]
        assert found.equals(read_files(listed, reader=Reader.PYDICOM))
        assert [is_fast(tmp_path / name, reader) for name in "ab"] == [False, True]
    finally:
        monkeypatch.undo()
        for cached in caches:
            cached.cache_clear()


def code(meaning):
    made = Dataset()
    made.CodeMeaning = meaning
    return made


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
