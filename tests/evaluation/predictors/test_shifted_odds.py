from __future__ import annotations

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from monai_unlearn.evaluation.predictors import CohortShape
from monai_unlearn.evaluation.predictors.shifted_odds import SHIFTED_ODDS, shift


def shape(forget, remain, **more):
    return CohortShape(reason="other", forget=forget, remain=remain, **more)


def test_a_posterior_under_new_frequencies_is_that_of_a_model_fitted_under_them():
    """Gaussian naive Bayes of scikit-learn: the same densities under the priors before and after."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (600, 1)), rng.normal(1.5, 1, (400, 1))])
    y = np.repeat([0, 1], [600, 400])
    before = GaussianNB().fit(x, y)
    after = GaussianNB(priors=[600 / 700, 100 / 700]).fit(x, y)
    by = shift(shape({"b": 300}, {"a": 600, "b": 100}))
    moved = before.predict_log_proba(x) + np.array([by["a"], by["b"]])
    probabilities = np.exp(moved) / np.exp(moved).sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, after.predict_proba(x), atol=1e-12)


def test_a_loss_that_balances_classes_knows_no_frequencies():
    by = shift(shape({"b": 300}, {"a": 600, "b": 100}, class_balance=1.0))
    assert by == pytest.approx({"a": 0.0, "b": 0.0})
    half = shift(shape({"b": 300}, {"a": 600, "b": 100}, class_balance=0.5))
    assert half["b"] - half["a"] == pytest.approx(0.5 * np.log(100 / 400))


def test_a_whole_class_has_no_new_odds():
    assert "of b nothing remains" in SHIFTED_ODDS.refusal(shape({"b": 300}, {"a": 600}))


def test_images_of_every_class_are_no_part_of_one():
    assert "images of every class" in SHIFTED_ODDS.refusal(shape({"a": 5, "b": 5}, {"a": 600, "b": 100}))
    assert "images of every class" in SHIFTED_ODDS.refusal(shape({}, {"a": 600, "b": 100}))
    assert SHIFTED_ODDS.refusal(shape({"b": 5}, {"a": 600, "b": 100})) is None


def test_where_chance_chose_what_remains_is_alike():
    drawn = shape({"b": 5}, {"a": 600, "b": 100}, is_sample=True)
    assert SHIFTED_ODDS.target(drawn).counterparts == ("forget", "remain")
    assert SHIFTED_ODDS.target(shape({"b": 5}, {"a": 600, "b": 100})).counterparts == ("forget",)


def test_the_workshop_moves_the_logits():
    class Workshop:
        def shifted(self, name, by):
            return name, by

    found = SHIFTED_ODDS.make(Workshop(), shape({"b": 300}, {"a": 600, "b": 100}), 3)
    assert found == [("shifted_odds", shift(shape({"b": 300}, {"a": 600, "b": 100})))]
