from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.assemble import Collected
from monai_unlearn.index.duplicates import find_duplicates
from monai_unlearn.index.store.digest import engine


@pytest.fixture
def duplicates(tmp_path):
    """Find the duplicates among files of (identifier, is it DICOM, is it a plain image)."""

    def run(*files):
        ids = [{"image_id": name, "is_dicom": is_dicom, "is_plain": is_plain} for name, is_dicom, is_plain in files]
        pq.write_table(pa.Table.from_pylist(ids), tmp_path / "ids.parquet")
        pq.write_table(pa.table({"path": [f"/d/{at}" for at in range(len(files))]}), tmp_path / "files.parquet")
        collected = Collected(tmp_path / "files.parquet", tmp_path / "ids.parquet")
        with engine(tmp_path) as connection:
            return find_duplicates(connection, collected).tolist()

    return run


def test_all_but_the_first_dicom_file_of_an_identifier_are_duplicates(duplicates):
    a, b = ("a", True, False), ("b", True, False)
    assert duplicates(a, b, ("c", True, False), b, a, a) == [3, 4, 5]


def test_faulty_file_neither_has_nor_is_a_duplicate(duplicates):
    assert duplicates(("a", False, False), ("a", True, False), ("a", False, False)) == []


def test_plain_images_with_the_same_path_are_refused(duplicates):
    plain = ("x", False, True)
    with pytest.raises(IndexReadError, match="^/d/1 and /d/3 have the same path within their source"):
        duplicates(("y", False, True), plain, ("x", False, False), plain, plain)
