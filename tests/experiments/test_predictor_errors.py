from __future__ import annotations

import pytest

from monai_unlearn.errors import DataError
from monai_unlearn.experiments.predictor_errors import predictor_errors


def run(**errors):
    return {
        "predicted": {
            "blocks": [{"subset": "forget_train", "class": name, "error": one} for name, one in errors.items()]
        }
    }


def test_the_largest_error_over_cohorts_counts_on_both_sides():
    found = predictor_errors(
        "blocks", [run(up=0.02, down=0.1), run(up=-0.05, down=0.0)], reasons=["other"] * 2, seeds=3
    )
    assert found == {
        "name": "blocks",
        "reasons": ["other"],
        "cohorts": 2,
        "seeds": 3,
        "errors": [
            {"subset": "forget_train", "class": "up", "error": 0.05},
            {"subset": "forget_train", "class": "down", "error": 0.1},
        ],
    }


def test_a_class_that_one_run_lacks_is_left_out():
    found = predictor_errors("blocks", [run(up=0.02, down=0.1), run(up=0.01)], reasons=["other"] * 2, seeds=3)
    assert [row["class"] for row in found["errors"]] == ["up"]


@pytest.mark.parametrize("metrics", [{}, {"predicted": None}, {"predicted": {"other": []}}])
def test_a_run_without_predictions_is_an_error(metrics):
    with pytest.raises(DataError, match="--predictor blocks has written nothing"):
        predictor_errors("blocks", [metrics], reasons=["other"], seeds=3)
