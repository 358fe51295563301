from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cohort_index import make_index

from monai_unlearn.cohort.query.stored import stored
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import Index
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    """An index of two parts."""
    first = make_index(tmp_path / "index", {"device": ["x", "y", None]}, {"device": Kind.TEXT})
    second = first.directory / "parts" / "second.parquet"
    pq.write_table(pq.read_table(first.parts[0]), second)
    return Index(**{**vars(first), "parts": (*first.parts, second)})


def test_columns_come_in_the_wanted_order_and_rows_in_that_of_the_parts(index):
    table = stored(index, ["device", "image_id"])
    assert table.column_names == ["device", "image_id"]
    assert table["device"].to_pylist() == ["x", "y", None] * 2


@pytest.mark.parametrize("rows", [[0, 4, 5], [1], [3, 5], []])
def test_only_the_chosen_rows_are_returned(index, rows):
    mask = np.zeros(6, dtype=bool)
    mask[rows] = True
    table = stored(index, ["image_id", "device"], rows=mask)
    assert table["device"].to_pylist() == [(["x", "y", None] * 2)[row] for row in rows]
    assert table.schema == stored(index, ["image_id", "device"]).schema


def test_texts_come_as_codes_where_these_are_wanted(index):
    table = stored(index, ["image_id", "device"], encoded=["device"])
    assert pa.types.is_dictionary(table.schema.field("device").type)
    assert table["device"].to_pylist() == ["x", "y", None] * 2
    assert table["image_id"].type == pa.string()


def test_a_folder_s_name_is_no_column(tmp_path):
    index = make_index(tmp_path / "device=z" / "index", {"device": ["x"]}, {"device": Kind.TEXT})
    assert stored(index, ["device"])["device"].to_pylist() == ["x"]


def test_a_part_that_cannot_be_read_is_reported_in_one_sentence(index):
    index.parts[1].write_bytes(b"PAR1 but no more")
    with pytest.raises(IndexReadError, match=r"a part of the index cannot be read \(ArrowInvalid\)\. Build it with"):
        stored(index, ["device"])


def test_a_part_that_changed_since_the_index_was_opened_is_refused(tmp_path):
    index = make_index(tmp_path / "index", {"device": ["x"]}, {"device": Kind.TEXT})
    opened = Index.open(index.directory)
    index.parts[0].write_bytes(index.parts[0].read_bytes())
    with pytest.raises(IndexReadError, match="it was changed since"):
        stored(opened, ["device"])
