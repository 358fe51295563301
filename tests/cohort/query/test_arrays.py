from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.cohort.query import arrays

BOOLEANS = st.lists(st.sampled_from([True, False, None]), max_size=40)


@given(values=BOOLEANS, start=st.integers(0, 20), chunks=st.integers(1, 3))
def test_booleans_of_any_slice_are_read(values, start, chunks):
    array = pa.chunked_array([pa.array(values, pa.bool_()).slice(start)] * chunks)
    wanted = values[start:] * chunks
    assert arrays.true(array).tolist() == [value is True for value in wanted]
    assert arrays.known(array).tolist() == [value is not None for value in wanted]
    assert arrays.true(array.chunk(0)).tolist() == [value is True for value in values[start:]]


@pytest.mark.parametrize("kind", [pa.int32(), pa.uint64(), pa.float64()])
def test_numbers_of_a_slice_are_read(kind):
    array = pa.array([5, 6, 7, 8], kind)
    assert arrays.numbers(array.slice(1, 2)).tolist() == [6, 7]
    assert arrays.numbers(pa.chunked_array([array, array.slice(3)])).tolist() == [5, 6, 7, 8, 8]
    assert arrays.numbers(pa.array([], kind)).tolist() == []


def test_texts_are_encoded_in_the_order_of_their_first_rows():
    texts = pa.chunked_array([["b", None, "a"], ["a", "c", "b"]])
    for column in (
        texts,
        texts.dictionary_encode(),
        pa.chunked_array([chunk.dictionary_encode() for chunk in texts.chunks]),
    ):
        found = arrays.encoded(column)
        assert found.dictionary.to_pylist() == ["b", "a", "c"]
        assert found.indices.to_pylist() == [0, None, 1, 1, 2, 0]


@given(st.lists(st.booleans(), max_size=40))
def test_masks_and_places_are_written(values):
    mask = np.array(values, dtype=bool)
    assert arrays.of_mask(mask).to_pylist() == values
    assert arrays.of_mask(mask[::2]).to_pylist() == values[::2]
    assert arrays.of_places(np.flatnonzero(mask)[::-1]).to_pylist() == np.flatnonzero(mask)[::-1].tolist()


def test_pandas_is_not_loaded():
    program = (
        "import sys, numpy as np, pyarrow as pa\n"
        "from monai_unlearn.cohort.query.arrays import known, numbers, of_mask, of_places, true\n"
        "mask = of_mask(np.array([True, False]))\n"
        "true(mask), known(mask), numbers(of_places(np.arange(3)))\n"
        "sys.exit('pandas' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
