from __future__ import annotations

import pyarrow as pa
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.scan.decisions import FREE_TEXT, Decisions
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.vocabulary.fields import Kind

ALWAYS = frozenset(("path", *FREE_TEXT))


def undecided(keep=ALWAYS, *, tags=(), raw_values=False, tables=(), telling=()):
    extra = ExtraTags.of(tags, raw_values=raw_values, pseudonyms=None)
    try:
        Decisions(keep=frozenset(keep)).check(extra, dict.fromkeys(tables, Kind.TEXT), telling=telling)
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


def test_personal_columns_of_tables_must_be_decided():
    assert undecided(tables=["site", "LastName"]) == ["LastName"]


def test_columns_of_file_names_and_of_many_texts_must_be_decided():
    assert undecided(tables=["image"], telling=["image"]) == ["image"]
    assert undecided(ALWAYS | {"image"}, tables=["image"], telling=["image"]) == []


def test_options_may_be_joined_by_commas():
    given = Decisions.parse(["path,StudyDescription"], ['(0019,"A",10),x'], is_pseudonymised=True)
    assert given == Decisions(frozenset(("path", "StudyDescription")), frozenset(('(0019,"A",10)', "x")))


def test_dropped_columns_lose_their_values():
    partial = "StudyDate=2018-01-01/2018-12-31\\SeriesDate=2017-01-01/2017-12-31"
    rows = pa.table({"path": ["a"], "StudyDescription": ["b"], "Rows": [1.0], "partial": [partial]})
    found = Decisions(drop=frozenset(("path", "StudyDescription", "StudyDate", "absent"))).without_dropped(rows)
    kept = "SeriesDate=2017-01-01/2017-12-31"
    assert found.to_pylist() == [{"path": "a", "StudyDescription": None, "Rows": 1.0, "partial": kept}]
    assert found.schema == rows.schema
    assert Decisions(drop=frozenset(("path", "x"))).remaining(["path", "x", "y"]) == ["path", "y"]
