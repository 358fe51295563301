from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monai_unlearn.cohort.query.answers import CategoricalColumn, Verdict

DEVICE = CategoricalColumn.of(pa.chunked_array([["b", None], ["a", "b", " "]]))


def test_codes_number_the_texts_in_order_of_appearance():
    assert DEVICE.codes.tolist() == [0, -1, 1, 0, -1]
    assert DEVICE.names[:2] == ("b", "a")


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u00a0", " \n "])
def test_white_space_is_no_value(blank):
    column = CategoricalColumn.of(pa.chunked_array([[blank, "a", blank]]))
    assert [column.names[code] if code >= 0 else None for code in column.codes] == [None, "a", None]
    assert column.sharing(np.array([True, False, False])).tolist() == [False, False, False]


def test_values_are_counted_once():
    assert DEVICE.distinct(np.array([True, True, False, True, True])) == 1
    assert DEVICE.distinct(np.ones(5, bool)) == 2
    assert DEVICE.distinct(np.zeros(5, bool)) == 0


def test_texts_are_chosen_in_the_order_of_their_codes():
    assert DEVICE.chosen(DEVICE.among(np.ones(5, bool))) == ["b", "a"]
    assert DEVICE.chosen(DEVICE.among(np.array([False, False, True, False, False]))) == ["a"]


def test_rows_that_share_a_value_are_found_and_rows_without_one_share_none():
    assert DEVICE.sharing(np.array([True, True, False, False, False])).tolist() == [True, False, False, True, False]


def test_a_verdict_is_neither_true_nor_false_where_it_is_null():
    verdict = Verdict.of(pa.chunked_array([[True, None], [False]]))
    assert verdict.true.tolist() == [True, False, False]
    assert verdict.false.tolist() == [False, False, True]


def test_each_value_is_counted_among_the_chosen_rows():
    counts = DEVICE.counts(np.array([True, True, False, True, True]))
    assert {name: count for name, count in counts.items() if count} == {"b": 2}
    assert set(DEVICE.counts(np.zeros(5, dtype=bool)).values()) == {0}


def test_rows_may_have_a_code_each_without_a_comparison_of_texts():
    column = CategoricalColumn.of_rows(pa.chunked_array([["b", None, "a"], [" ", "c"]]))
    assert column.codes.tolist() == [0, -1, 2, -1, 4]
    assert column.distinct(np.array([True, True, False, True, True])) == 2
    assert column.chosen(column.among(np.array([True, True, False, True, True]))) == ["b", "c"]
