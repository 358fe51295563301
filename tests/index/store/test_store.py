from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.seal import sealed
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


def rewrite(directory, change, *, seal=True):
    """Change the text of the document, and state its digest as whoever forges an index would."""
    document = directory / "index.json"
    text = change(document.read_text(encoding="utf-8"))
    document.write_text(json.dumps(sealed(json.loads(text))) if seal else text, encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-20], "expected JSON, got other content"),
        (lambda _: "[]", "expected an index of schema version 4, got None"),
        (lambda text: text.replace('"schema_version": 4', '"schema_version": 99'), "expected an index of .* 4, got 99"),
        (lambda text: text.replace('"rows": 2', '"rows": 3'), "expected the content with the digest sha256:"),
        (lambda text: text.replace('"document_digest"', '"other"'), "expected the content with the digest None"),
    ],
)
def test_changed_document_is_an_error(change, message, written):
    rewrite(written.directory, change, seal=False)
    with pytest.raises(IndexReadError, match=rf"index.json: {message}.* Build it with: monai-unlearn index build"):
        Index.open(written.directory)
    with pytest.raises(IndexReadError, match=message):
        Index.open(written.directory, trust=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"digest"', '"other"'), "expected the document of an index"),
        (lambda text: text.replace('"digests"', '"other"'), "expected the document of an index"),
        (lambda text: text.replace('"age": "age"', '"age": "years"'), "expected the document of an index"),
        (lambda text: text.replace('"parts/part', '"../parts/part'), "expected the document of an index"),
        (lambda text: text.replace('"parts/part', '"/parts/part'), "expected the document of an index"),
        (lambda text: text.replace('"parts/part', '"parts/gone'), "this part of the index is missing"),
    ],
)
def test_document_of_another_shape_is_an_error(change, message, written):
    rewrite(written.directory, change)
    with pytest.raises(IndexReadError, match=rf"{message}.* Build it with: monai-unlearn index build"):
        Index.open(written.directory)


def test_changed_part_is_an_error_unless_it_is_trusted(written):
    part = written.parts[0]
    content = part.read_bytes()
    place = content.index(b"parquet-cpp-arrow")
    part.write_bytes(content[:place] + b"q" + content[place + 1 :])
    with pytest.raises(IndexReadError, match=r"part-.*parquet: expected the content with the digest"):
        Index.open(written.directory)
    assert Index.open(written.directory, trust=True).frame().equals(written.frame())
    part.write_bytes(content)
    assert Index.open(written.directory).checked.hashed == len(content)


def test_part_that_changes_after_it_was_opened_is_an_error(written):
    index = Index.open(written.directory)
    index.parts[0].write_bytes(index.parts[0].read_bytes() + b" ")
    with pytest.raises(IndexReadError, match=r"it was changed since. Open the index again"):
        index.frame()


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
