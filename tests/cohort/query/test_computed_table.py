from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monai_unlearn.cohort.language.functions.isolation_forest import isolation_forest_scores
from monai_unlearn.cohort.query.computed_table import ComputedTable
from monai_unlearn.cohort.query.sql import Sql


def _table(*, keys, scores=lambda rows, counts: rows.sum(axis=1) * counts):
    return ComputedTable("statistic_0", Sql("SELECT 1"), keys=keys, scores=scores, figure="score")


def test_scores_belong_to_distinct_rows_in_ascending_order():
    rows = pa.table({"a": [2.0, 1.0, 2.0], "b": [5.0, 9.0, 5.0]})
    assert _table(keys=0).compute(rows).to_pydict() == {"a": [1.0, 2.0], "b": [9.0, 5.0], "score": [10.0, 14.0]}


def test_the_order_of_the_rows_changes_no_bit():
    rng = np.random.default_rng(7)
    values = rng.normal(size=(50, 2))
    values[3] = values[4]
    rows = pa.table({"a": values[:, 0], "b": values[:, 1]})
    table = _table(keys=0, scores=isolation_forest_scores)
    assert table.compute(rows).num_rows == 49
    assert table.compute(rows).equals(table.compute(rows.take(rng.permutation(50))))


def test_each_group_is_scored_alone_and_keeps_its_key():
    rows = pa.table({"key": ["x", "x", "y", "x"], "a": [1.0, 2.0, 3.0, 9.0]})
    scored = _table(keys=1, scores=lambda rows, counts: rows[:, 0] / counts.sum()).compute(rows)
    assert scored.to_pydict() == {"key": ["x", "x", "x", "y"], "a": [1.0, 2.0, 9.0, 3.0], "score": [1 / 3, 2 / 3, 3, 3]}


def test_a_score_that_is_nan_is_null():
    scored = _table(keys=0, scores=lambda rows, _counts: np.full(len(rows), np.nan)).compute(pa.table({"a": [1.0]}))
    assert scored["score"].to_pylist() == [None]


@pytest.mark.parametrize("keys", [0, 1])
def test_no_rows_have_no_scores(keys):
    rows = pa.table({"a": pa.array([], pa.float64()), "b": pa.array([], pa.float64())})
    scored = _table(keys=keys).compute(rows)
    assert scored.column_names == ["a", "b", "score"]
    assert scored.num_rows == 0
