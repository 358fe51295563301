from __future__ import annotations

import pytest
from decision_example import binary, everywhere, table

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.unchanged import moved, unchanged

FORGET = ("forget_train", "forget_test")
ORIGINAL = everywhere(binary(0.99, 0.99))
RETRAINED = everywhere(binary(0.8, 0.8))


def evidence(revised):
    return gather(table({"original": ORIGINAL, "revised": revised, "reference-0": RETRAINED}, stable=1.0, patients=100))


def test_how_far_predictions_moved():
    found = evidence(RETRAINED)
    # 19 of 100 patients flip, each from 0.97 to 0.03.
    assert moved(found, "revised", FORGET) == pytest.approx(0.19 * 0.94)
    assert unchanged(found, FORGET) is None


@pytest.mark.parametrize("revised", [0.99, 0.98])
def test_a_network_that_hardly_moved_is_named(revised):
    assert "predicts the forget part as the original does" in unchanged(
        evidence(everywhere(binary(revised, 0.99))), FORGET
    )


def test_without_images_nothing_is_said():
    assert unchanged(evidence(ORIGINAL), ["forget_validation"]) is None
