from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from cohort_index import make_index

from monai_unlearn.cohort.query.answers import CategoricalColumn
from monai_unlearn.cohort.resolve.part_rows import image_ids, part_rows
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = {
    "image_id": ["c", "a", "b"],
    "device": ["x", None, "y"],
    "age": [1.5, None, 3.0],
    "StudyDate": [dt.date(2019, 1, 31), None, None],
}
KINDS = {"device": Kind.TEXT, "age": Kind.AGE, "StudyDate": Kind.DATE}


@pytest.fixture
def index(tmp_path):
    return make_index(tmp_path, COLUMNS, KINDS)


@pytest.mark.parametrize("rows", [[0, 1, 2], [0, 2], []])
def test_rows_are_those_of_the_index_sorted_by_image(index, rows):
    mask = np.isin(np.arange(3), rows)
    expected = index.frame()[mask].sort_values("image_id", ignore_index=True)
    found = part_rows(index, mask)
    assert list(found.columns) == list(index.columns)
    assert found.dtypes.astype(str).tolist() == expected.dtypes.astype(str).tolist()
    assert found.isna().equals(expected.isna())
    for name in found:
        assert found[name].dropna().tolist() == expected[name].dropna().tolist()


def test_texts_are_no_python_objects(index):
    found = part_rows(index, np.ones(3, dtype=bool))
    assert found["device"].dtype == pd.StringDtype("pyarrow")


def test_columns_are_chosen_in_their_order(index):
    found = part_rows(index, np.array([True, True, False]), ["age", "device", "age"])
    assert list(found.columns) == ["age", "device"]
    assert found["device"].tolist() == [pd.NA, "x"]


def test_identifiers_are_sorted():
    image = CategoricalColumn.of_rows(pa.chunked_array([["c", "a"], [" ", "b"]]))
    assert image.codes.tolist() == [0, 1, -1, 3]
    assert image_ids(image, np.array([True, False, False, True])).to_pylist() == ["b", "c"]
