from __future__ import annotations

import numpy as np
from sklearn.ensemble import IsolationForest

from monai_unlearn.cohort.language.functions.isolation_forest import isolation_forest_scores


def test_scores_are_those_of_scikit_learn_on_every_image():
    rows, counts = np.unique(np.random.default_rng(7).integers(0, 4, size=(50, 2)), axis=0, return_counts=True)
    images = np.repeat(rows, counts, axis=0).astype(float)
    expected = -IsolationForest(random_state=0).fit(images).score_samples(rows)
    assert counts.max() > 1
    assert np.array_equal(isolation_forest_scores(rows.astype(float), counts), expected)


def test_a_single_image_has_no_score():
    assert np.isnan(isolation_forest_scores(np.array([[1.0]]), np.array([1]))).all()
    assert np.isfinite(isolation_forest_scores(np.array([[1.0]]), np.array([2]))).all()
