from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.evaluation.decision.never_trained import MARGIN
from monai_unlearn.evaluation.predictors import CohortShape
from monai_unlearn.evaluation.predictors.never_trained import FEW, NEVER_TRAINED


def shape(forget, reason="consent_withdrawal"):
    return CohortShape(reason=reason, forget=forget, remain={"a": 90, "b": 900})


def test_few_images_of_many_patients():
    assert NEVER_TRAINED.refusal(shape({"a": 10, "b": 50})) is None


@pytest.mark.parametrize("reason", ["consent_withdrawal", "label_error"])
def test_a_part_of_a_class_is_refused(reason):
    refusal = NEVER_TRAINED.refusal(shape({"a": 11}, reason))
    assert "11 % of the training images of a, more than 10 %" in refusal
    assert "shifted_odds" in refusal
    assert NEVER_TRAINED.refusal(shape({"c": 1}, reason)) is not None  # a whole class


def test_few_is_where_odds_hardly_move():
    """A probability of a half, the one that odds move most, under the frequencies without a tenth of the class."""
    moved = 1 / (1 + np.exp(-np.log(1 - FEW)))
    assert 0.02 < 0.5 - moved < 0.03


def test_wrong_labels_are_compared_with_wrong_labels():
    assert NEVER_TRAINED.target(shape({"a": 5})).counterparts == ("forget", "remain")
    assert NEVER_TRAINED.target(shape({"a": 5}, "label_error")).counterparts == ("forget",)


def test_the_margin_is_declared_or_the_default():
    assert NEVER_TRAINED.target(shape({"a": 5})).margin == MARGIN == 0.10
    assert NEVER_TRAINED.target(shape({"a": 5}), margin=0.07).margin == 0.07


def test_nothing_is_trained():
    assert NEVER_TRAINED.make(None, shape({"a": 5}), 3) == []
