from __future__ import annotations

import hashlib

import pytest

from monai_unlearn.index.store.schema import BASE_COLUMNS
from monai_unlearn.vocabulary import privacy
from monai_unlearn.vocabulary.fields import vocabulary
from monai_unlearn.vocabulary.privacy import handle_of, may_pass_on, names_people

IDENTIFYING = [
    "patient", "patient_id", "PatientID", "study", "series", "image_id", "path", "StudyInstanceUID", "SOPInstanceUID",
    "SOPClassUID", "mrn", "AccessionNumber", "id",
]  # fmt: skip


@pytest.mark.parametrize("name", IDENTIFYING)
def test_fields_that_identify_people(name):
    assert names_people(name)
    assert names_people(f"age > 1 and {name} == x")


@pytest.mark.parametrize(
    "name", ["device", "PatientAge", "PatientSex", "StudyDate", "SeriesDescription", "StationName", "video", "width"]
)
def test_fields_that_identify_nobody(name):
    assert not names_people(name)


def test_every_column_of_every_index_is_one_or_the_other():
    columns = {*BASE_COLUMNS, *vocabulary().dicom, *vocabulary().aliases}
    assert {name for name in columns if names_people(name)} == {
        "image_id", "path", "patient", "patient_ids", "study", "series", "SOPClassUID"
    }  # fmt: skip


def test_no_identifying_field_is_passed_on():
    assert not any(map(may_pass_on, (*IDENTIFYING, "remark", "surname", "PatientName", "SeriesDescription")))
    assert all(map(may_pass_on, ("device", "StationName", "station_name", "PatientSex", "modality")))


@pytest.mark.parametrize(
    ("path", "suffix"), [("/MARK/a.dcm", ".dcm"), ("/MARK/a.NII.GZ", ".nii.gz"), ("/a.MARK", ""), ("/MARK\udc80", "")]
)
def test_a_handle_keeps_a_known_suffix_alone(path, suffix):
    handle = handle_of(path)
    assert handle != handle_of(f"{path[:-4]}x{path[-4:]}")
    assert (handle[:5], handle[17:]) == ("file ", suffix)
    assert "mark" not in handle.lower()


def test_a_handle_cannot_be_guessed_from_names_that_a_file_may_have(monkeypatch):
    path = "/archive/Doe^Jane/1.dcm"
    assert handle_of(path) == handle_of(path)
    assert hashlib.sha256(path.encode()).hexdigest()[:12] not in handle_of(path)
    here = handle_of(path)
    monkeypatch.setattr(privacy, "handle_key", lambda: b"of another site")
    assert handle_of(path) != here
