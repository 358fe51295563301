from __future__ import annotations

import numpy as np
import pyarrow as pa
from sklearn.ensemble import IsolationForest

from monai_unlearn.cohort.query.isolation_forest import forest_scores


def test_scores_are_scikit_learn_s_whatever_the_order_of_the_rows():
    rng = np.random.default_rng(7)
    values = rng.normal(size=(50, 2))
    values[3] = values[4]
    table = pa.table({"a": values[:, 0], "b": values[:, 1]})
    scores = forest_scores(table, keys=0, score="score")
    again = forest_scores(table.take(rng.permutation(50)), keys=0, score="score")
    assert scores.equals(again)
    ordered = values[np.lexsort((values[:, 1], values[:, 0]))]
    forest = IsolationForest(random_state=0).fit(ordered)
    expected = -forest.score_samples(scores.select(["a", "b"]).to_pandas().to_numpy())
    assert scores.num_rows == 49
    assert np.array_equal(scores["score"].to_numpy(), expected)


def test_each_group_has_a_forest_of_its_own_and_a_group_of_one_has_none():
    table = pa.table({"key": ["x", "x", "y", "x"], "a": [1.0, 2.0, 3.0, 9.0]})
    scores = forest_scores(table, keys=1, score="score")
    assert scores["key"].to_pylist() == ["x", "x", "x"]
    assert scores["a"].to_pylist() == [1.0, 2.0, 9.0]


def test_no_rows_have_no_scores():
    scores = forest_scores(pa.table({"a": pa.array([], pa.float64())}), keys=0, score="score")
    assert scores.column_names == ["a", "score"]
    assert scores.num_rows == 0
