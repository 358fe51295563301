from __future__ import annotations

import pytest
from evidence_example import evidence
from sklearn.metrics import log_loss

from monai_unlearn.evaluation.measures import measures
from monai_unlearn.evaluation.metrics import registered

EVIDENCE = evidence(
    share=0.25,
    original={"forget": 90, "remain": 95},
    revised={"forget": 50, "remain": 92},
    revised_recalibrated={"forget": 60, "remain": 92},
    reference={"forget": 58, "remain": 94},
)
# The names that configs had before there were other metrics than accuracy.
ACCURACY_NAMES = {
    "forget_test_accuracy": 0.50,
    "remain_test_accuracy": 0.92,
    "remain_test_accuracy_drop": 0.03,
    "forget_train_gap_to_reference": 0.08,
    "forget_test_gap_to_reference": 0.08,
    # 50 and 58 of 100 correct, classes in turn: 25 and 29 of 50 in either class.
    "forget_test_worst_class_gap_to_reference": 0.08,
    "forget_train_worst_class_gap_to_reference": 0.08,
    "remain_test_gap_to_reference": 0.02,
    "forgetting_surviving_recalibration": 0.75,
    "share_of_retraining_gradients": 0.25,
}


@pytest.mark.parametrize(("measure", "value"), ACCURACY_NAMES.items())
def test_measures_of_accuracy(measure, value):
    assert measures()[measure](EVIDENCE) == pytest.approx(value)


def mean_loss(correct: int) -> float:
    """The log loss of logits 0 and 1, of which `correct` of 100 images have the higher one at the true class."""
    high = 0.7310585786300049
    truth = [1] * correct + [0] * (100 - correct)
    return log_loss(truth, [[1 - high, high]] * 100, labels=[0, 1])


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("forget_test_log_loss", mean_loss(50)),
        ("remain_train_log_loss_rise", mean_loss(92) - mean_loss(95)),
        ("forget_test_log_loss_gap_to_reference", mean_loss(50) - mean_loss(58)),
        ("forget_test_log_loss_worst_class_gap_to_reference", mean_loss(50) - mean_loss(58)),
    ],
)
def test_measures_of_another_metric(measure, value):
    assert measures()[measure](EVIDENCE) == pytest.approx(value)


def test_there_are_four_a_metric_part_and_split():
    assert len(measures()) == len(registered()) * 2 * 3 * 4 + 2
    assert not [name for name in measures() if "undetermined" in name]


def test_the_worst_class_is_the_one_furthest_off():
    found = evidence(original={"forget": 90}, revised={"forget": 50}, reference={"forget": 50})
    classes = found["gaps_to_reference"]["forget"]["test"]["classes"]
    for name, value in {"a": 0.1, "b": -0.4}.items():
        classes[name]["value"] = value
    assert measures()["forget_test_worst_class_gap_to_reference"](found) == 0.4
    classes["b"]["value"] = None
    assert measures()["forget_test_worst_class_gap_to_reference"](found) == 0.1


@pytest.mark.parametrize("measure", sorted(set(measures()) - {"share_of_retraining_gradients"}))
def test_what_was_not_measured_is_none(measure):
    """No validation images, no reference, no BatchNorm."""
    found = evidence(original={"forget": 90}, revised={"forget": 90})
    known = measure.startswith(("forget_train", "forget_test")) and "reference" not in measure
    assert (measures()[measure](found) is not None) == known
