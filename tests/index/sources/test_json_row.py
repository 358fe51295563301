"""The row of an image from its metadata is that of its file: compared on files of every kind of trouble."""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path

import pydicom
import pytest
from dicom_json import image, item

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.dicom_tags import read_tags
from monai_unlearn.index.readers.identity import settled
from monai_unlearn.index.readers.lenient import lenient_values
from monai_unlearn.index.sources.json_row import row_of, texts_of
from monai_unlearn.phantom import write_fundus_studies, write_mri_studies, write_periorbital_studies

TAGS = [
    "AccessionNumber",
    "AnatomicRegionSequence.CodeMeaning",
    "EchoTime",
    "PatientName",
    "PixelSpacing",
    "InstanceNumber",
]


def metadata_of(path: Path) -> dict:
    """Return the metadata of a file as pydicom, and not the code under test, writes it."""
    with lenient_values():
        dataset = pydicom.dcmread(path, force=True)
        pixels = dataset.pop("PixelData", None)
        dataset.SpecificCharacterSet = "ISO_IR 192"
        found = json.loads(dataset.to_json(suppress_invalid_tags=True))
    return found if pixels is None else {**found, "7FE00010": {"vr": "OW", "BulkDataURI": "x"}}


def assert_same(paths):
    assert paths
    for path in paths:
        item = metadata_of(path)
        assert row_of(item, tells_pixels=True) == settled(read_file(path)), path.name
        assert texts_of(item, TAGS) == read_tags(path, TAGS), path.name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [write_fundus_studies, write_mri_studies, write_periorbital_studies])
def test_phantoms(tmp_path, write):
    size = {"size": 64} if write is not write_mri_studies else {}
    write(tmp_path / "out", patients=3, **size)
    assert_same(sorted((tmp_path / "out").rglob("*.dcm")))


@pytest.mark.filterwarnings("ignore")
def test_cases(tmp_path, monkeypatch):
    cases = os.environ.get("MONAI_UNLEARN_CASES")
    if not cases:
        pytest.skip("MONAI_UNLEARN_CASES is not set: the cases are not at hand")
    monkeypatch.setattr(sys, "argv", ["dicom_trouble.py", str(tmp_path)])
    modes = pydicom.config.settings.reading_validation_mode, pydicom.config.settings.writing_validation_mode
    try:
        runpy.run_path(str(Path(cases) / "dicom_trouble.py"))
    finally:
        pydicom.config.settings.reading_validation_mode, pydicom.config.settings.writing_validation_mode = modes
    assert_same(sorted(tmp_path.rglob("*.dcm")))


def test_an_image_without_pixels_is_one_only_where_the_server_would_tell():
    told = {tag: element for tag, element in image("1.2.1", 1).items() if tag != "7FE00010"}
    assert row_of(told, tells_pixels=True)["fault"] == Fault.PIXEL_DATA_MISSING.code
    assert row_of(told, tells_pixels=False)["fault"] is None


def test_other_objects_have_their_faults():
    report = item(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", SOPInstanceUID="1.2", PatientID="P1")
    assert row_of(report, tells_pixels=False)["fault"] == Fault.DERIVED_OBJECT.code


def test_other_identifiers_with_their_issuers():
    others = [item(PatientID="OLD", IssuerOfPatientID="A"), item(PatientID="OLDER"), item(PatientID=None)]
    found = row_of({**image("1.2.1", 1), "00101002": {"vr": "SQ", "Value": others}}, tells_pixels=True)
    assert found["other_ids"] == "OLDER\\OLD^^^A"


def test_a_value_that_the_server_keeps_back_is_undecodable():
    kept = {**image("1.2.1", 1), "00081030": {"vr": "LO", "BulkDataURI": "x"}}
    assert row_of(kept, tells_pixels=True)["fault"] == Fault.UNDECODABLE_TEXT.code
