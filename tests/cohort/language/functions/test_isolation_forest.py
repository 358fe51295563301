from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohort_index import make_index, make_spec
from sklearn.ensemble import IsolationForest

from monai_unlearn.cohort.language.functions.isolation_forest import isolation_forest_scores
from monai_unlearn.vocabulary.fields import Kind


def test_scores_are_those_of_scikit_learn_on_every_image():
    rows, counts = np.unique(np.random.default_rng(7).integers(0, 4, size=(50, 2)), axis=0, return_counts=True)
    images = np.repeat(rows, counts, axis=0).astype(float)
    expected = -IsolationForest(random_state=0).fit(images).score_samples(rows)
    assert counts.max() > 1
    assert np.array_equal(isolation_forest_scores(rows.astype(float), counts), expected)


def test_a_single_image_has_no_score():
    assert np.isnan(isolation_forest_scores(np.array([[1.0]]), np.array([1]))).all()
    assert np.isfinite(isolation_forest_scores(np.array([[1.0]]), np.array([2]))).all()


@pytest.mark.parametrize("group", [None, "device"])
def test_a_cohort_has_the_images_that_scikit_learn_finds_in_a_pandas_frame(tmp_path, group):
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "image_id": [f"i{number:03d}" for number in range(200)],
            "a": rng.normal(size=200).round(1),
            "b": np.where(rng.random(200) < 0.05, 30.0, rng.normal(2, 3, size=200).round(1)),
            "device": rng.choice(["x", "y"], size=200),
        }
    )
    frame.loc[rng.choice(200, size=20, replace=False), "b"] = np.nan
    columns = frame.replace({np.nan: None}).to_dict("list")
    index = make_index(tmp_path / "index", columns, {"a": Kind.NUMBER, "b": Kind.NUMBER, "device": Kind.TEXT})
    by = "" if group is None else f" by ({group})"
    found = make_spec(f"isolation_forest(a, b){by} > 0.55").resolve(index).image_ids

    known = frame.dropna()
    scores = pd.concat(map(_scores, [known] if group is None else [part for _, part in known.groupby(group)]))
    assert set(found["forget"]) == set(known.loc[scores[scores > 0.55].index, "image_id"])
    assert set(found["undetermined"]) == set(frame.loc[frame["b"].isna(), "image_id"])
    assert 5 < len(found["forget"]) < 60


def _scores(images):
    numbers = images[["a", "b"]].sort_values(["a", "b"])  # the forest depends on the order
    forest = IsolationForest(random_state=0).fit(numbers.to_numpy())
    return pd.Series(-forest.score_samples(numbers.to_numpy()), index=numbers.index)
