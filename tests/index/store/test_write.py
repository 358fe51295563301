from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.store import Index
from monai_unlearn.index.store.write import write_index
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"label": Kind.TEXT, "age": Kind.AGE}
FRAME = pd.DataFrame(
    {
        "image_id": ["b", "a", "c"],
        "path": ["/x/b", "/x/a", "/x/c"],
        "file_size": [1, 2, 3],
        "label": ["normal", None, ""],
        "age": [1.5, None, 2],
    }
)


def test_digest_is_of_content_not_of_place_or_order(tmp_path):
    first = write_index(FRAME, tmp_path / "one", kinds=KINDS)
    moved = FRAME[::-1].assign(path=["/y/c", "/y/a", "/y/b"], file_size=9, file_mtime_ns=7)
    assert write_index(moved, tmp_path / "two", kinds=dict(reversed(KINDS.items()))).digest == first.digest


@pytest.mark.parametrize(
    "change",
    [
        {"label": ["normal", None, None]},
        {"age": [1.5, None, 3]},
        {"fault": "truncated"},
        {"patient": ["p", None, None]},
    ],
)
def test_digest_changes_with_any_value(change, tmp_path):
    first = write_index(FRAME, tmp_path / "one", kinds=KINDS)
    assert write_index(FRAME.assign(**change), tmp_path / "two", kinds=KINDS).digest != first.digest


def test_digest_covers_units(tmp_path):
    first = write_index(FRAME, tmp_path / "one", kinds=KINDS, units={"age": "a"}, origins={"age": "table:t.csv"})
    assert (first.units, first.origins) == ({"age": "a"}, {"age": "table:t.csv"})
    assert write_index(FRAME, tmp_path / "two", kinds=KINDS, units={"age": "a"}).digest == first.digest
    assert write_index(FRAME, tmp_path / "three", kinds=KINDS, units={"age": "mo"}).digest != first.digest
    assert write_index(FRAME, tmp_path / "four", kinds=KINDS).digest != first.digest


def test_rows_with_the_same_id_do_not_depend_on_their_order(tmp_path):
    twice = pd.DataFrame({"image_id": ["a", "a"], "label": ["x", None]})
    first = write_index(twice, tmp_path / "one", kinds=KINDS)
    assert write_index(twice[::-1], tmp_path / "two", kinds=KINDS).digest == first.digest


def test_index_without_rows_can_be_opened(tmp_path):
    index = write_index(FRAME[:0], tmp_path / "index", kinds=KINDS)
    assert (index.rows, index.images) == (0, 0)
    assert index.frame().empty


def test_times_of_files_keep_their_nanoseconds(tmp_path):
    index = write_index(FRAME.assign(file_mtime_ns=1795253569842102803), tmp_path / "index", kinds=KINDS)
    assert index.frame()["file_mtime_ns"].tolist() == [1795253569842102803] * 3


def test_new_index_replaces_the_old_and_leaves_nothing_of_it(tmp_path):
    write_index(FRAME, tmp_path / "index", kinds=KINDS)
    index = write_index(FRAME[:1], tmp_path / "index", kinds=KINDS)
    assert index.rows == 1
    assert sorted(tmp_path.rglob("*.parquet")) == list(index.parts)
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_stored_rows_of_the_old_index_are_removed(tmp_path):
    index = write_index(FRAME, tmp_path / "index", kinds=KINDS)
    (index.directory / "files-0123.parquet").touch()
    write_index(FRAME[:1], tmp_path / "index", kinds=KINDS)
    assert [path.name for path in index.directory.glob("*.parquet")] == []


def test_empty_folder_is_filled(tmp_path):
    (tmp_path / "index").mkdir()
    assert write_index(FRAME, tmp_path / "index", kinds=KINDS).rows == 3


@pytest.mark.parametrize("moves", [0, 1])
def test_killed_run_leaves_the_previous_index_whole(moves, tmp_path, monkeypatch):
    before = write_index(FRAME, tmp_path / "index", kinds=KINDS)
    replace = Path.replace
    calls = iter(range(10))

    def killed(path: Path, target: Path) -> Path:
        if next(calls) == moves:
            raise KeyboardInterrupt("killed")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt, match="killed"):
        write_index(FRAME[:1], tmp_path / "index", kinds=KINDS)
    assert Index.open(tmp_path / "index") == before
    assert before.frame()["image_id"].tolist() == ["b", "a", "c"]
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    monkeypatch.undo()
    after = write_index(FRAME[:1], tmp_path / "index", kinds=KINDS)
    assert sorted(tmp_path.rglob("*.parquet")) == list(after.parts)


def test_other_folder_or_file_is_refused_and_untouched(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(IndexReadError, match="expected a new folder or an index, got a folder with other content"):
        write_index(FRAME, tmp_path, kinds=KINDS)
    with pytest.raises(IndexReadError, match="expected a folder, got a file"):
        write_index(FRAME, tmp_path / "notes.txt", kinds=KINDS)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FRAME.assign(other=1), "The column 'other' has no kind"),
        (FRAME.drop(columns="image_id"), "Every row of an index needs an `image_id`"),
        (FRAME.assign(image_id=["a", None, "b"]), "Every row of an index needs an `image_id`"),
        (FRAME.assign(age="old"), "The column 'age' has values that are not of kind age"),
    ],
)
def test_frame_that_does_not_fit_is_refused(frame, message, tmp_path):
    with pytest.raises(IndexReadError, match=message):
        write_index(frame, tmp_path / "index", kinds=KINDS)
    assert not (tmp_path / "index").exists()
