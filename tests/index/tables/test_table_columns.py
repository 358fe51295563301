from __future__ import annotations

from pathlib import Path

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.tables.opened_table import SourceColumn
from monai_unlearn.index.tables.table_columns import table_columns
from monai_unlearn.vocabulary.fields import Kind


def columns(kinds, rename=None, id_column="id"):
    sources = {name: SourceColumn(name, kind) for name, kind in {"id": Kind.TEXT, **kinds}.items()}
    found = table_columns(Path("t.csv"), sources, id_column=id_column, rename=rename or {})
    return {column.name: column for column in found}


def test_columns_named_after_keywords_have_the_kinds_of_these():
    found = columns({"PatientAge": Kind.TEXT, "StudyDate": Kind.NUMBER, "site": Kind.TEXT, "score": Kind.NUMBER})
    assert {name: column.kind for name, column in found.items()} == {
        "PatientAge": Kind.AGE,
        "StudyDate": Kind.DATE,
        "site": Kind.TEXT,
        "score": Kind.NUMBER,
    }


def test_identity_becomes_patient_study_and_series_as_text():
    found = columns({"PatientID": Kind.NUMBER, "StudyInstanceUID": Kind.TEXT, "SeriesInstanceUID": Kind.TEXT})
    assert list(found) == ["patient", "study", "series"]
    assert {column.kind for column in found.values()} == {Kind.TEXT}


def test_identifier_is_a_column_only_if_it_has_a_role():
    assert list(columns({})) == []
    assert list(columns({"SeriesInstanceUID": Kind.TEXT}, id_column="SeriesInstanceUID")) == ["id", "series"]


def test_renamed_column_is_read_as_its_new_name():
    found = columns({"how_old": Kind.TEXT}, {"how_old": "PatientAge"})
    assert found["PatientAge"].kind is Kind.AGE
    assert found["PatientAge"].source.name == "how_old"


@pytest.mark.parametrize(
    ("kinds", "rename", "message"),
    [
        ({"a": Kind.TEXT}, {"b": "c"}, "--rename c=b: the table has no column 'b'"),
        ({"a": Kind.TEXT, "A": Kind.TEXT}, {}, "the column 'A' would be a second 'A'"),
        ({"PatientID": Kind.TEXT, "patient": Kind.TEXT}, {}, "would be a second 'patient'"),
        ({"Fault": Kind.TEXT}, {}, "would be a second 'Fault'"),
        ({"several_values": Kind.TEXT}, {}, "would be a second 'several_values'"),
        ({"PatientAge": Kind.DATE}, {}, "contains dates, but PatientAge is a number"),
    ],
)
def test_names_that_do_not_fit_are_refused(kinds, rename, message):
    with pytest.raises(IndexReadError, match=message):
        columns(kinds, rename)


@pytest.mark.parametrize(
    ("name", "kind", "fault"),
    [
        ("StudyInstanceUID", Kind.TEXT, Fault.INVALID_UID),
        ("StudyDate", Kind.TEXT, Fault.INVALID_DATE),
        ("PatientAge", Kind.TEXT, Fault.INVALID_AGE),
        ("PatientAge", Kind.NUMBER, None),  # years, all of them valid
        ("Rows", Kind.TEXT, Fault.INVALID_NUMBER),
        ("site", Kind.TEXT, None),
    ],
)
def test_invalid_values_have_the_fault_of_their_kind(name, kind, fault):
    (column,) = columns({name: kind}).values()
    assert column.fault is fault
