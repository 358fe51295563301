from __future__ import annotations

import pyarrow as pa
import pytest

from monai_unlearn.index.readers.identity import settled, without_birth_dates

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


def test_birth_dates_are_compared_in_one_spelling():
    spelled = [settled(row(PatientBirthDate=date))["birth_check"] for date in ("1970.01.01", "19700101")]
    assert spelled == ["19700101"] * 2
    assert settled(row())["birth_check"] is None
    assert settled(row(PatientBirthDate=""))["birth_check"] is None


def test_birth_dates_become_numbers_that_many_share():
    days = [f"{year}{month:02d}15" for year in range(1930, 2010) for month in range(1, 13)]
    rows = pa.table({"path": ["x"] * (len(days) + 1), "birth_check": [*days, None]})
    numbers = without_birth_dates(rows)["birth_check"].to_pylist()
    assert set(numbers) == {None, *map(str, range(32))}
    assert all(len(days) / 64 < numbers.count(str(number)) < len(days) / 16 for number in range(32))


def test_other_formats_and_faulty_files_keep_their_fault():
    assert settled({"format": "image"}) == {"format": "image"}
    assert settled({"fault": "empty_file"}) == {"fault": "empty_file", "faults": "empty_file"}
