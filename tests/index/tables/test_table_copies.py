from __future__ import annotations

import pytest

from monai_unlearn.index.tables.from_table import TableRequest, index_table

HEAD = "file,SOPInstanceUID,PatientID,StudyInstanceUID,ManufacturerModelName,OtherPatientIDs\n"
SAME, CONFLICT = "duplicate_sop_instance_uid", "conflicting_duplicate"


@pytest.fixture
def faults(tmp_path):
    def run(text):
        path = tmp_path / "t.csv"
        path.write_text(text, encoding="utf-8")
        frame = index_table(TableRequest(table=path, id_column="file", out=tmp_path / "index")).index.frame()
        return (
            frame.set_index("image_id")["fault"]
            .astype(object)
            .where(frame.set_index("image_id")["fault"].notna(), None)
            .to_dict()
        )

    return run


def test_copies_that_agree_count_once(faults):
    found = faults(HEAD + "b,1.1,P,2.1,M,\na,1.1,P,2.1,M,\nc,1.2,P,2.1,M,\n")
    assert found == {"a": None, "b": SAME, "c": None}


@pytest.mark.parametrize("other", ["Q,2.1,M,", ",2.1,M,", "P,2.2,M,", "P,2.1,N,"])
def test_rows_of_another_patient_study_or_device_contradict_each_other(other, faults):
    found = faults(f"{HEAD}a,1.1,P,2.1,M,\nb,1.1,{other}\nc,1.1,P,2.1,M,\nd,1.2,P,2.9,M,\n")
    assert found["a"] == CONFLICT
    assert found["b"] == CONFLICT
    assert (found["c"], found["d"]) == (SAME, None)


def test_two_identifiers_of_one_patient_are_no_contradiction(faults):
    assert faults(HEAD + "a,1.1,NEW,2.1,M,OLD\nb,1.1,OLD,2.1,M,\n") == {"a": None, "b": SAME}


def test_table_without_patients_or_uids_has_copies_or_none(faults):
    assert faults("file,SOPInstanceUID\na,1.1\nb,1.1\nc,\nd,\n") == {"a": None, "b": SAME, "c": None, "d": None}
    assert faults("file,x\na,1\nb,1\n") == {"a": None, "b": None}
