"""Patients and derived objects of tables; what holds for files holds for them."""

from __future__ import annotations

import pytest

from monai_unlearn.index.patient_key import PatientKey
from monai_unlearn.index.tables.from_table import TableRequest, index_table


@pytest.fixture
def frame(tmp_path):
    """Index a CSV and return chosen columns of its index, row by row."""

    def run(text, *columns, **options):
        path = tmp_path / "t.csv"
        path.write_text(text, encoding="utf-8")
        report = index_table(TableRequest(table=path, id_column="id", out=tmp_path / "index", **options))
        found = report.index.frame(list(columns)).astype(object)
        return [tuple(row) for row in found.where(found.notna(), None).to_numpy().tolist()]

    return run


def test_row_without_a_patient_has_a_fault_if_the_table_has_patients(frame):
    assert frame("id,PatientID\na,P1\nb,\n", "fault") == [(None,), ("missing_patient_id",)]
    assert frame("id,site\na,x\n", "fault") == [(None,)]


def test_placeholder_is_no_patient(frame):
    found = frame("id,PatientID\na,ANONYMOUS\nb,P1\nc,000000\n", "patient", "patient_ids", "faults")
    placeholder = (None, None, "placeholder_patient_id")
    assert found == [placeholder, ("P1", "P1", None), placeholder]


def test_patients_may_be_numbered_from_zero(frame):
    assert frame("id,PatientID\na,0\nb,1\n", "patient", "fault") == [("0", None), ("1", None)]


def test_patient_key_and_notes(frame):
    text = "id,PatientID,IssuerOfPatientID,PatientSex\na,1,A,F\nb,1,B,M\n"
    notes = "patient_with_two_sexes\\patient_with_two_issuers"
    assert frame(text, "patient", "faults") == [("1", notes), ("1", notes)]
    key = PatientKey(issuer=True)
    assert frame(text, "patient", "faults", patient_key=key) == [("1^^^A", None), ("1^^^B", None)]


def test_birth_dates_and_studies_are_compared(frame):
    text = "id,PatientID,PatientBirthDate,StudyInstanceUID\na,P,1970-01-01,1.1\nb,P,1971-01-01,1.2\nc,Q,,1.2\n"
    assert [faults for (faults,) in frame(text, "faults")] == [
        "patient_with_two_birth_dates",
        "patient_with_two_birth_dates\\study_with_two_patients",
        "study_with_two_patients",
    ]


def test_other_identifiers_are_those_of_one_patient(frame):
    found = frame("id,PatientID,OtherPatientIDs\na,NEW,OLD\nb,OLD,\nc,X,\n", "patient", "patient_ids")
    assert found == [("NEW", "NEW\\OLD")] * 2 + [("X", "X")]


@pytest.mark.parametrize(
    ("text", "included", "faults"),
    [
        ("id,Modality\na,CT\nb,SEG\nc,SR\n", False, [None, "derived_object", "derived_object"]),
        ("id,Modality\na,CT\nb,SEG\nc,SR\n", True, [None, None, "derived_object"]),
        ("id,SOPClassUID\na,1.2.840.10008.5.1.4.1.1.481.2\n", False, ["derived_object"]),
    ],
)
def test_derived_objects_are_no_images(text, included, faults, frame):
    assert [fault for (fault,) in frame(text, "fault", include_derived=included)] == faults
