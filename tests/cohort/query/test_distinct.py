from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.cohort.query import distinct
from monai_unlearn.cohort.query.distinct import count_distinct, is_blank

TEXTS = st.lists(
    st.none() | st.text("ab \t\u00a0\u2003é", max_size=20) | st.sampled_from(["1.2.840." + "7" * n for n in range(30)]),
    max_size=40,
)


@given(texts=TEXTS, start=st.integers(0, 5), at_once=st.sampled_from([2, 3, 1000]))
def test_distinct_texts_are_counted_exactly(texts, start, at_once):
    with patch.object(distinct, "_AT_ONCE", at_once):
        _check_count(texts, start)


def _check_count(texts, start):
    array = pa.array(texts, pa.string()).slice(start)
    mask = np.array([text is not None for text in texts[start:]], dtype=bool)
    assert count_distinct(array, mask) == len(set(texts[start:]) - {None})
    mask[::2] = False
    assert count_distinct(array, mask) == len(set(texts[start:][1::2]) - {None})


@given(texts=TEXTS, start=st.integers(0, 5))
def test_blank_texts_are_missing_or_white_space(texts, start):
    array = pa.array(texts, pa.string()).slice(start)
    assert is_blank(array).tolist() == [text is None or not text.strip() for text in texts[start:]]


@given(TEXTS)
def test_texts_that_share_a_number_are_compared(texts):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(distinct, "_keys", lambda starts, *_: np.zeros(len(starts), np.uint64))
        mask = np.array([text is not None for text in texts], dtype=bool)
        assert count_distinct(pa.array(texts, pa.string()), mask) == len(set(texts) - {None})


def test_numbers_depend_on_every_byte():
    text = "1.2.840.113619.2.55.3.604688119.971"
    others = [text[:at] + "X" + text[at + 1 :] for at in range(len(text))]
    texts = pa.array([text, *others, *(text[:at] for at in range(len(text)))])
    assert len(set(distinct._keys(*distinct._parts(texts)).tolist())) == len(texts)
