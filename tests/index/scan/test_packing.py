from __future__ import annotations

from monai_unlearn.index.fast_readers import Reader, read_files, schema
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan.packing import packed, unpacked, unreadable


def test_rows_survive_packing(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 3)
    rows = read_files([Listed(path=str(path), relative="a", size=1, mtime_ns=2)], reader=Reader.AUTO)
    content = packed(rows)
    assert isinstance(content, bytes)
    assert unpacked(content) == rows


def test_unreadable_files_have_rows_without_being_opened(tmp_path, make_dicom):
    paths = [make_dicom(tmp_path / name) for name in "ab"]  # sound, and yet not read
    rows = unreadable([Listed(path=str(path), relative=path.name, size=1, mtime_ns=2) for path in paths])
    assert rows.schema == schema()
    assert rows["fault"].to_pylist() == ["unreadable"] * 2
    assert rows["file_size"].to_pylist() == [1, 1]
