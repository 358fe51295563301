from __future__ import annotations

import pyarrow as pa

from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan.previous_rows import PreviousRows


def table(*paths, fault=None):
    rows = [{"path": path, "file_size": 1, "file_mtime_ns": 2, "fault": fault} for path in paths]
    return pa.Table.from_pylist(rows, schema=schema())


def file(path, size=1):
    return Listed(path=path, relative=path, size=size, mtime_ns=2)


def test_files_are_found_across_tables_and_taken_in_order():
    unseen = []
    known = PreviousRows([table("a", "b"), table(), table("c", "d"), table("e")], on_unseen=unseen.append)
    wanted = ["a", "aa", "c", "e", "f"]
    found = []
    for path in wanted:
        found.append(known.has(file(path)))
        if found[-1]:
            assert known.is_same(file(path))
            known.take()
    assert found == [True, False, True, True, False]
    assert pa.concat_tables(known.taken())["path"].to_pylist() == ["a", "c", "e"]
    assert known.taken() == []
    known.finish()
    assert (known.rows, known.seen) == (5, 3)
    assert pa.concat_tables(unseen)["path"].to_pylist() == ["b", "d"]


def test_changed_file_is_seen_and_not_the_same():
    known = PreviousRows([table("a")])
    assert known.has(file("a", size=3))
    assert known.has(file("a", size=3))  # asked again, it is counted once
    assert not known.is_same(file("a", size=3))
    known.finish()
    assert (known.rows, known.seen) == (1, 1)


def test_faults_that_may_pass_are_certain_only_in_the_run_that_saw_them():
    for is_fresh in (False, True):
        known = PreviousRows([table("a", fault="permission_denied")], is_fresh=is_fresh)
        assert known.has(file("a"))
        assert known.is_certain() == is_fresh


def test_nothing_is_known_of_nothing():
    known = PreviousRows([])
    assert not known.has(file("a"))
    known.finish()
    assert (known.rows, known.taken()) == (0, [])
