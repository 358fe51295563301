from __future__ import annotations

import pyarrow as pa
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.scan.decisions import FREE_TEXT, Decisions
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.vocabulary.fields import Kind

ALWAYS = frozenset(("path", *FREE_TEXT))


def undecided(keep=ALWAYS, *, tags=(), raw_values=False, tables=(), of_files=()):
    extra = ExtraTags.of(tags, raw_values=raw_values, pseudonyms=None)
    try:
        Decisions(keep=frozenset(keep)).check(extra, dict.fromkeys(tables, Kind.TEXT), of_files=of_files)
    except IndexReadError as error:
        return str(error).partition("all the same: ")[2].partition(". Drop")[0].split(", ")
    return []


def test_paths_and_free_text_must_be_decided():
    assert undecided(()) == ["path", *FREE_TEXT]
    assert undecided() == []


@pytest.mark.parametrize(
    ("tag", "is_free"),
    [
        *(("ImageComments", True), ("AnatomicRegionSequence.CodeMeaning", True), ('(0019,"NOBODY",10)', True)),
        *(("KVP", False), ("TransferSyntaxUID", False), ("AccessionNumber", False), ("ScanningSequence", False)),
    ],
)
def test_requested_tags_of_free_text_must_be_decided(tag, is_free):
    assert undecided(tags=[tag]) == ([tag] if is_free else [])


def test_raw_values_must_be_decided():
    assert undecided(raw_values=True) == ["raw_values"]


@pytest.mark.parametrize(
    ("column", "is_personal"),
    [
        *(("last_name", True), ("LastName", True), ("Surname", True), ("birth_date", True), ("e-mail", True)),
        *(("Home Address", True), ("comments", True), ("report_text", True), ("DOB", True), ("OtherPatientIDs", True)),
        *(
            ("site", False),
            ("label", False),
            ("patient_id", False),
            ("patient_ids", False),
            ("rename_count", False),
            ("width", False),
        ),
    ],
)
def test_personal_columns_of_tables_must_be_decided(column, is_personal):
    assert undecided(tables=[column]) == ([column] if is_personal else [])


def test_columns_of_file_names_must_be_decided():
    assert undecided(tables=["image"], of_files=["image"]) == ["image"]
    assert undecided(ALWAYS | {"image"}, tables=["image"], of_files=["image"]) == []


def test_options_may_be_joined_by_commas():
    given = Decisions.parse(["path,StudyDescription"], ['(0019,"A",10),x'], is_pseudonymised=True)
    assert given == Decisions(frozenset(("path", "StudyDescription")), frozenset(('(0019,"A",10)', "x")))


def test_dropped_columns_lose_their_values():
    rows = pa.table({"path": ["a"], "StudyDescription": ["b"], "Rows": [1.0]})
    found = Decisions(drop=frozenset(("path", "StudyDescription", "absent"))).without_dropped(rows)
    assert found.to_pylist() == [{"path": "a", "StudyDescription": None, "Rows": 1.0}]
    assert found.schema == rows.schema
    assert Decisions(drop=frozenset(("path", "x"))).remaining(["path", "x", "y"]) == ["path", "y"]
