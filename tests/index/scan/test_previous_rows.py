from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan.previous_rows import PreviousRows, kept_files
from monai_unlearn.index.store.file_digest import file_digest
from monai_unlearn.index.store.seal import sealed
from monai_unlearn.index.store.write import write_index


def table(*paths, fault=None):
    rows = [{"path": path, "file_size": 1, "file_mtime_ns": 2, "fault": fault} for path in paths]
    return pa.Table.from_pylist(rows, schema=schema())


def file(path, size=1):
    return Listed(path=path, relative=path, size=size, mtime_ns=2)


def test_files_are_found_across_tables_and_taken_in_order():
    unseen = []
    previous = PreviousRows([table("a", "b"), table(), table("c", "d"), table("e")], on_unseen=unseen.append)
    wanted = ["a", "aa", "c", "e", "f"]
    found = []
    for path in wanted:
        found.append(previous.has(file(path)))
        if found[-1]:
            assert previous.is_same(file(path))
            previous.take()
    assert found == [True, False, True, True, False]
    assert pa.concat_tables(previous.taken())["path"].to_pylist() == ["a", "c", "e"]
    assert previous.taken() == []
    previous.finish()
    assert (previous.rows, previous.seen) == (5, 3)
    assert pa.concat_tables(unseen)["path"].to_pylist() == ["b", "d"]


def test_changed_file_is_found_but_not_the_same():
    previous = PreviousRows([table("a")])
    assert previous.has(file("a", size=3))
    assert previous.has(file("a", size=3))  # asked again, it is counted once
    assert not previous.is_same(file("a", size=3))
    previous.finish()
    assert (previous.rows, previous.seen) == (1, 1)


def test_temporary_faults_are_certain_only_in_the_run_that_found_them():
    for is_fresh in (False, True):
        previous = PreviousRows([table("a", fault="permission_denied")], is_fresh=is_fresh)
        assert previous.has(file("a"))
        assert previous.is_certain() == is_fresh


def test_no_rows_have_no_file():
    previous = PreviousRows([])
    assert not previous.has(file("a"))
    previous.finish()
    assert (previous.rows, previous.taken()) == (0, [])


def stored(folder, mark, file_schema=None):
    """Write an index whose stored rows of files have this mark and schema."""
    index = write_index(pd.DataFrame({"image_id": ["a"]}), folder, kinds={})
    file_schema = (file_schema or schema()).with_metadata(mark)
    path, document = folder / "files.parquet", index.directory / "index.json"
    pq.write_table(pa.Table.from_pylist([{"path": path} for path in "ab"], file_schema), path)
    content = json.loads(document.read_text(encoding="utf-8"))
    digests = {**content["digests"], path.name: file_digest(path)}
    document.write_text(json.dumps(sealed({**content, "files": path.name, "digests": digests})), encoding="utf-8")
    return folder


def test_stored_rows_are_reused_only_with_the_same_mark(tmp_path):
    folder = stored(tmp_path / "index", {"tool_version": "1"})
    assert [table["path"].to_pylist() for table in kept_files(folder, {"tool_version": "1"})] == [["a", "b"]]
    assert kept_files(folder, {"tool_version": "2"}) is None


def test_stored_rows_that_were_changed_are_not_reused(tmp_path):
    folder = stored(tmp_path / "index", {"tool_version": "1"})
    rows = pa.Table.from_pylist([{"path": "a"}], schema().with_metadata({"tool_version": "1"}))
    pq.write_table(rows, folder / "files.parquet")
    assert kept_files(folder, {"tool_version": "1"}) is None


def test_stored_rows_with_other_columns_or_without_an_index_are_not_reused(tmp_path):
    other = schema().remove(schema().get_field_index("Modality"))
    assert kept_files(stored(tmp_path / "index", {}, other), {}) is None
    assert kept_files(tmp_path / "absent", {}) is None
    folder = stored(tmp_path / "damaged", {})
    (folder / "files.parquet").write_bytes(b"words")
    assert kept_files(folder, {}) is None
