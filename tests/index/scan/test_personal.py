from __future__ import annotations

import pyarrow as pa
import pytest

from monai_unlearn.index.scan.personal import is_personal, is_telling


@pytest.mark.parametrize(
    "column",
    [
        *("last_name", "LastName", "Surname", "birth_date", "e-mail", "Home Address", "comments", "report_text", "DOB"),
        *("OtherPatientIDs", "PatientName", "Nachname", "Vorname", "Geburtsdatum", "geb.datum", "nom", "prenom"),
        *("pat", "pat_nr", "Fallnummer", "case_no", "referring_physician", "Befund", "free_text", "file_path"),
    ],
)
def test_columns_that_may_describe_a_person(column):
    assert is_personal(column)


@pytest.mark.parametrize(
    "column",
    [
        *("site", "label", "patient_id", "patient_ids", "rename_count", "width", "diagnosis", "thickness", "sort"),
        *("pattern", "number", "laterality", "export", "age", "nominal"),
    ],
)
def test_columns_that_describe_none(column):
    assert not is_personal(column)


def test_many_different_texts_may_each_be_of_one_person():
    names = [f"name {number}" for number in range(30)]
    assert is_telling(pa.chunked_array([names]))
    assert is_telling(pa.chunked_array([[*names, *names, None]]))
    assert not is_telling(pa.chunked_array([names[:15]]))
    assert not is_telling(pa.chunked_array([names * 30]))
