from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.store import Index
from monai_unlearn.index.store.write import write_index
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"day": Kind.DATE, "moment": Kind.DATETIME, "age": Kind.AGE, "label": Kind.TEXT}


@pytest.fixture
def written(tmp_path):
    frame = pd.DataFrame(
        {
            "image_id": ["b", "a"],
            "fault": [None, "truncated"],
            "day": [dt.date(1, 1, 1), None],
            "moment": [dt.datetime(2020, 1, 1, 3, 4), None],  # noqa: DTZ001 - DICOM's are local
            "age": [45.5, None],
            "label": ["normal", None],
        }
    )
    return write_index(frame, tmp_path / "index", kinds=KINDS, label="label")


def test_index_is_read_as_it_was_written(written):
    index = Index.open(str(written.directory))
    assert index == written
    assert (index.images, index.rows, index.label) == (1, 2, "label")
    assert index.columns["age"] is Kind.AGE
    assert index.columns["patient"] is Kind.TEXT
    frame = index.frame()
    assert list(frame.columns) == list(index.columns)
    assert frame["day"].tolist() == [dt.date(1, 1, 1), None]
    assert frame["moment"][0] == pd.Timestamp("2020-01-01 03:04")
    assert frame["age"].tolist() == [45.5, pd.NA]
    assert frame.iloc[1][["moment", "age", "label", "patient", "file_size"]].isna().all()


def test_columns_come_in_the_order_asked_for(written):
    assert list(written.frame(["label", "image_id"]).columns) == ["label", "image_id"]
    assert written.frame([]).empty
    with pytest.raises(IndexReadError, match=r"the index has no column 'labell'. Did you mean 'label'"):
        written.frame(["labell"])


def test_missing_folder_and_document_are_errors(tmp_path):
    with pytest.raises(IndexReadError, match=r"there is no such folder. Build it with: monai-unlearn index build"):
        Index.open(tmp_path / "absent")
    with pytest.raises(IndexReadError, match=r"this folder contains no index.json. Build it with"):
        Index.open(tmp_path)
    (tmp_path / "index.json").mkdir()
    with pytest.raises(IndexReadError, match=r"index.json: cannot be read \(Is a directory\)"):
        Index.open(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-20], "expected JSON, got other content"),
        (lambda _: "[]", "expected an index of schema version 2, got None"),
        (lambda text: text.replace('"schema_version": 2', '"schema_version": 99'), "schema version 2, got 99"),
        (lambda text: text.replace('"digest"', '"other"'), "expected the document of an index"),
        (lambda text: text.replace('"age": "age"', '"age": "years"'), "expected the document of an index"),
        (lambda text: text.replace('"parts/part', '"../parts/part'), "expected the document of an index"),
        (lambda text: text.replace('"parts/part', '"/parts/part'), "expected the document of an index"),
        (lambda text: text.replace('"parts/part', '"parts/gone'), "this part of the index is missing"),
    ],
)
def test_document_of_another_shape_is_an_error(change, message, written):
    document = written.directory / "index.json"
    document.write_text(change(document.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(IndexReadError, match=rf"{message}.* Build it with: monai-unlearn index build"):
        Index.open(written.directory)


def test_document_that_is_not_text_is_an_error(written):
    (written.directory / "index.json").write_bytes(b"\xff\xfe")
    with pytest.raises(IndexReadError, match="expected JSON"):
        Index.open(written.directory)


def test_broken_part_is_an_error(written):
    written.parts[0].write_bytes(b"no parquet")
    with pytest.raises(IndexReadError, match=r"a part of the index cannot be read. Build it with"):
        written.frame()


def test_document_lists_the_content(written):
    document = json.loads((written.directory / "index.json").read_text(encoding="utf-8"))
    assert document["faults"] == {"truncated": 1}
    assert document["label"] == "label"
    assert document["columns"]["day"] == "date"
