"""Where patients come from, and what happens to an image without one."""

from __future__ import annotations

import pyarrow as pa
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.identities import Identities
from monai_unlearn.index.patient_key import PatientKey
from monai_unlearn.index.patients import PatientSource
from monai_unlearn.index.usable import is_usable


def find(asked, *columns, has_dicom=True, has_plain=True):
    return PatientSource.find(asked, columns, has_dicom=has_dicom, has_plain=has_plain)


def rows(*files):
    """Make rows of (format, PatientID, fault)."""
    formats, patients, faults = zip(*files, strict=True)
    columns = {"format": formats, "patient": patients, "study": patients, "fault": faults, "faults": faults}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("columns", "formats", "column", "origin"),
    [
        ((), {}, None, "PatientID"),
        ((), {"has_dicom": False}, None, None),
        (("site", "subject"), {}, "subject", "PatientID, subject"),
        (("subject", "patient_id"), {"has_dicom": False}, "patient_id", "patient_id"),
        (("patient_id",), {"has_plain": False}, None, "PatientID"),
    ],
)
def test_column_is_found_by_its_name_for_plain_images(columns, formats, column, origin):
    source = find(None, *columns, **formats)
    assert (source.column, source.origin, source.is_asked) == (column, origin, False)


def test_named_column_is_the_only_source_and_must_exist():
    source = find("who", "who", "patient_id")
    assert (source.column, source.origin, source.is_asked) == ("who", "who", True)
    with pytest.raises(IndexReadError, match=r"--patient wo: no table has this column. Did you mean 'who'\?"):
        find("wo", "who")


def test_dicom_image_without_a_patient_has_a_fault_and_counts():
    found = find(None).apply(rows(("dicom", "P1", None), ("dicom", None, None)), None)
    assert found["fault"].to_pylist() == [None, "missing_patient_id"]
    assert found["patient"].to_pylist() == ["P1", None]
    assert is_usable("missing_patient_id")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("image", None, None), None),  # a plain image may have no patient
        ((None, None, "not_an_image"), "not_an_image"),
        (("dicom", None, "truncated"), "truncated"),  # the image is not usable in any case
        (("dicom", None, "invalid_date"), "missing_patient_id"),  # the more serious fault
    ],
)
def test_other_faults_and_formats(row, fault):
    assert find(None).apply(rows(row), None)["fault"].to_pylist() == [fault]


def test_found_column_names_the_patients_of_plain_images_only():
    texts = pa.array(["t1", "t2", None])
    found = find(None, "subject").apply(
        rows(("dicom", "P1", None), ("image", None, None), ("dicom", None, None)), texts
    )
    assert found["patient"].to_pylist() == ["P1", "t2", None]
    assert found["fault"].to_pylist() == [None, None, "missing_patient_id"]


def test_named_column_names_the_patients_of_all_images():
    texts = pa.array(["t1", "t2", None])
    found = find("who", "who").apply(rows(("dicom", "P1", None), ("image", None, None), ("dicom", "P3", None)), texts)
    assert found["patient"].to_pylist() == ["t1", "t2", None]
    assert found["fault"].to_pylist() == [None, None, "missing_patient_id"]


def test_named_column_and_a_key_of_tags_exclude_each_other():
    identities = Identities(key=PatientKey(issuer=True))
    with pytest.raises(IndexReadError, match="--patient who and --patient-key: .* Leave one of them out"):
        PatientSource.find("who", ["who"], has_dicom=True, has_plain=True, identities=identities)
    found = PatientSource.find(None, [], has_dicom=True, has_plain=False, identities=identities)
    assert found.origin == "PatientID, IssuerOfPatientID"


def test_placeholder_in_a_table_is_no_patient_and_the_files_own_is_not_asked_for():
    texts = pa.array(["UNKNOWN", "t2", "0"])
    placeholder = "placeholder_patient_id"
    files = ("image", None, None), ("dicom", None, placeholder), ("dicom", "P3", None)
    found = find("who", "who").apply(rows(*files), texts)
    assert found["patient"].to_pylist() == [None, "t2", "0"]
    assert found["patient_ids"].to_pylist() == [None, "t2", "0"]
    assert found["faults"].to_pylist() == [placeholder, None, None]


def test_placeholder_in_a_file_hides_that_nothing_else_names_the_patient():
    found = find(None).apply(rows(("dicom", None, "placeholder_patient_id")), None)
    assert found["faults"].to_pylist() == ["placeholder_patient_id"]
