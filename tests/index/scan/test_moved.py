from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan.moved import Moves
from monai_unlearn.index.store.digest import engine


def rows(*files):
    found = [{"path": path, "file_size": size, "file_mtime_ns": 2, "SOPInstanceUID": uid} for path, size, uid in files]
    return pa.Table.from_pylist(found, schema=schema())


def count(folder, new, gone, everything):
    """Count the moves for new paths, the rows of vanished files, and the rows of all files."""
    moves = Moves(folder)
    for path in new:
        moves.added(Listed(path=path, relative=path, size=1, mtime_ns=2))
    for batch in gone:
        moves.vanished(rows(batch))
    pq.write_table(rows(*everything), folder / "files.parquet")
    with engine(folder) as connection:
        return moves.count(connection, folder / "files.parquet")


def test_dicom_file_is_recognised_by_its_uid_whatever_its_name(tmp_path):
    everything = [("/new/x", 1, "1.2"), ("/stays", 1, "1.3")]
    assert count(tmp_path, ["/new/x"], [("/old/y", 9, "1.2")], everything) == 1


def test_other_file_is_recognised_by_name_size_and_time(tmp_path):
    everything = [("/new/a.png", 1, None)]
    assert count(tmp_path, ["/new/a.png"], [("/old/a.png", 1, None)], everything) == 1
    (tmp_path / "b").mkdir()
    assert count(tmp_path / "b", ["/new/a.png"], [("/old/a.png", 7, None)], everything) == 0


def test_file_that_is_not_new_has_not_moved(tmp_path):
    assert count(tmp_path, ["/other"], [("/old/y", 1, "1.2")], [("/x", 1, "1.2"), ("/other", 1, "1.9")]) == 0


def test_without_new_or_vanished_files_nothing_has_moved(tmp_path):
    assert count(tmp_path, ["/a"], [], [("/a", 1, "1.2")]) == 0
    (tmp_path / "b").mkdir()
    assert count(tmp_path / "b", [], [("/a", 1, "1.2")], []) == 0


def test_copy_of_a_file_that_stays_is_added_not_moved(images, run):
    run()
    shutil.copy(images / "0000" / "00003.dcm", images / "0000" / "again.dcm")
    (images / "0000" / "00004.dcm").unlink()
    counts = run().files
    assert (counts.added, counts.moved, counts.vanished) == (1, 0, 1)


def test_file_at_two_new_paths_has_moved_to_one_of_them(images, run):
    run()
    shutil.copy(images / "0000" / "00004.dcm", images / "0001" / "one.dcm")
    shutil.move(images / "0000" / "00004.dcm", images / "0001" / "two.dcm")
    counts = run().files
    assert (counts.added, counts.moved, counts.vanished) == (1, 1, 0)
