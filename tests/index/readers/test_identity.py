from __future__ import annotations

import pytest

from monai_unlearn.index.readers.identity import settled

CT, SEG = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.66.4"


def row(**columns):
    return {"format": "dicom", "PatientID": "P1", "SOPClassUID": CT, **columns}


def test_row_without_oddities_has_no_fault():
    found = settled(row())
    assert (found["PatientID"], found["fault"], found["faults"], found["other_ids"]) == ("P1", None, None, None)


@pytest.mark.parametrize("value", ["ANONYMOUS", "***", "0000000000"])
def test_placeholder_is_no_patient_beside_the_other_faults(value):
    found = settled(row(PatientID=value, fault="invalid_date", faults="invalid_date\\invalid_age"))
    assert (found["PatientID"], found["fault"]) == (None, "placeholder_patient_id")
    assert found["faults"] == "placeholder_patient_id\\invalid_date\\invalid_age"


@pytest.mark.parametrize(
    ("fault", "faults"),
    [
        (None, "derived_object"),
        ("truncated", "derived_object\\truncated"),
        ("invalid_age", "derived_object\\invalid_age"),
    ],
)
def test_derived_object_is_recognised_by_its_class(fault, faults):
    assert settled(row(SOPClassUID=SEG, fault=fault))["faults"] == faults


def test_further_identifiers_are_collected_without_placeholders():
    found = settled(row(OtherPatientIDs="OLD\\P1\\***", OtherPatientIDsSequence="A^^^HOSP\\UNKNOWN^^^HOSP"))
    assert found["other_ids"] == "A^^^HOSP\\OLD"
    assert settled(row(PatientID="***", OtherPatientIDs="OLD"))["other_ids"] is None


def test_birth_date_is_compared_and_not_kept():
    checks = {settled(row(PatientBirthDate=f"19700{month}01"))["birth_check"] for month in range(1, 8)}
    assert len(checks) > 3
    assert all(len(check) <= 2 for check in checks)
    assert (
        settled(row(PatientBirthDate="1970.01.01"))["birth_check"]
        == settled(row(PatientBirthDate="19700101"))["birth_check"]
    )
    assert settled(row())["birth_check"] is None


def test_other_formats_and_faulty_files_keep_their_fault():
    assert settled({"format": "image"}) == {"format": "image"}
    assert settled({"fault": "empty_file"}) == {"fault": "empty_file", "faults": "empty_file"}
