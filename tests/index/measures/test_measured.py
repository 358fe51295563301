from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from measure_files import make_mask

from monai_unlearn.index.assemble import Collected
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.index.measures.measured import measured_parts
from monai_unlearn.index.store import part_writer
from monai_unlearn.index.store.part_writer import PartWriter
from monai_unlearn.index.store.schema import BASE_COLUMNS, part_schema

NAMES = ["a.png", "notes.txt", "b.png", "c.png"]


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Three rows in two parts; of the four files, one is not a row."""
    monkeypatch.setattr(part_writer, "ROWS_A_PART", 2)
    kept = [name for name in NAMES if name.endswith("png")]
    rows = pa.Table.from_pylist(
        [{"image_id": name, "path": f"/d/{name}", "format": "image"} for name in kept], part_schema(BASE_COLUMNS)
    )
    writer = PartWriter(tmp_path / "stage")
    writer.write(rows)
    writer.close()
    ids = pa.table({"relative": NAMES, "is_row": [name in kept for name in NAMES]})
    pq.write_table(ids, tmp_path / "ids.parquet")
    return writer, Collected(tmp_path / "files.parquet", tmp_path / "ids.parquet")


def add(parts, *measures):
    return measured_parts(*parts, measures, MaskLabels({1: "iris"}), leave_out=(), track=iter, kinds=BASE_COLUMNS)


def test_measures_are_added_to_the_row_of_their_image(parts, tmp_path):
    make_mask(tmp_path / "masks" / "c_seg.nii.gz", np.ones((2, 2, 2), np.uint8))
    writer, _ = parts
    before = list(writer.parts)
    measured = add(parts, tmp_path / "masks")
    assert measured.units["iris_volume"] == "ml"
    frame = pd.concat([pq.read_table(writer.stage / name).to_pandas() for name in writer.parts])
    assert frame["image_id"].tolist() == ["a.png", "b.png", "c.png"]
    assert frame["iris_volume"].fillna(-1).tolist() == [-1, -1, 0.008]
    assert len(writer.parts) == len(before) == 2
    assert not set(writer.parts) & set(before)  # named by their new content
    assert sorted(path.name for path in (writer.stage / "parts").iterdir()) == sorted(
        name.rpartition("/")[2] for name in writer.parts
    )


def test_parts_are_not_touched_without_measures(parts):
    writer, _ = parts
    before = list(writer.parts)
    measured = add(parts)
    assert (measured.units, measured.matches, writer.parts) == ({}, (), before)
