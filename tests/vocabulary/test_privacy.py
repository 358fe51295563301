from __future__ import annotations

import pytest

from monai_unlearn.index.store.schema import BASE_COLUMNS
from monai_unlearn.vocabulary.fields import vocabulary
from monai_unlearn.vocabulary.privacy import names_people

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
