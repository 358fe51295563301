from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, everywhere, table
from sklearn.metrics import confusion_matrix

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.compare_subsets import Against, compared
from monai_unlearn.evaluation.decision.comparison import Comparison

ORIGINAL = everywhere(binary(0.9, 0.95))
SHARES = {
    "original": ORIGINAL,
    "revised": everywhere(binary(0.7, 0.6)),
    "reference-0": everywhere(binary(0.6, 0.65)),
    "reference-1": everywhere(binary(0.65, 0.7)),
    "reference-2": everywhere(binary(0.7, 0.75)),
}
PREDICTIONS = table(SHARES, patients=100)
EVIDENCE = gather(PREDICTIONS)
AGAINST = Against(evidence=EVIDENCE, healthy=("healthy",), others=EVIDENCE.references)
LIKE = Comparison(
    subset="forget_test", label="sick", predicted=None, measure="mean_probability", margin=0.1, sides="both"
)


def confusion(network):
    frame = PREDICTIONS.frame
    chosen = (frame["part"] == "forget") & (frame["split"] == "test")
    predicted = np.array(PREDICTIONS.class_names)[PREDICTIONS.probabilities(network)[chosen].argmax(1)]
    labels = list(PREDICTIONS.class_names)
    return confusion_matrix(frame["label"][chosen], predicted, labels=labels, normalize="true")


def mean_over_references(row, column):
    return np.mean([confusion(f"reference-{i}")[row, column] for i in range(3)])


def test_a_soft_row_of_two_classes_is_one_number():
    (found,) = compared(LIKE, AGAINST)
    frame = PREDICTIONS.frame
    chosen = ((frame["part"] == "forget") & (frame["split"] == "test") & (frame["label"] == "sick")).to_numpy()
    assert found.predicted == "sick"
    assert found.value == pytest.approx(PREDICTIONS.probabilities("revised")[chosen, 1].mean())
    assert (found.patients, found.images, found.seeds) == (100, 100, 3)


def test_a_soft_row_of_three_classes_has_each():
    names = ("a", "b", "c")
    row = {"a": [0.8, 0.1, 0.1], "b": [0.1, 0.8, 0.1], "c": [0.1, 0.1, 0.8]}
    shares = dict.fromkeys(("original", "revised", "reference-0"), everywhere(row))
    evidence = gather(table(shares, class_names=names, patients=20))
    found = compared(replace(LIKE, label="b"), Against(evidence=evidence, healthy=(), others=evidence.references))
    assert [one.predicted for one in found] == ["a", "b", "c"]
    assert sum(one.value for one in found) == pytest.approx(1)


def test_sensitivity_and_false_negatives_are_those_of_the_confusion_matrix():
    (sensitivity,) = compared(replace(LIKE, measure="sensitivity"), AGAINST)
    (missed,) = compared(replace(LIKE, measure="false_negatives", sides="upper"), AGAINST)
    assert sensitivity.value == pytest.approx(confusion("revised")[1, 1])
    assert sensitivity.target == pytest.approx(mean_over_references(1, 1))
    assert missed.value == pytest.approx(confusion("revised")[1, 0])
    assert missed.target == pytest.approx(mean_over_references(1, 0))


def test_macro_sensitivity_is_the_mean_of_the_diagonal():
    (found,) = compared(replace(LIKE, label="all", measure="macro_sensitivity", sides="lower"), AGAINST)
    assert found.value == pytest.approx(np.diag(confusion("revised")).mean())
    assert found.patients == 100  # of the smallest class


def test_all_images_are_judged_against_a_limit():
    against = replace(AGAINST, others=(), fixed=True)
    (found,) = compared(replace(LIKE, label="all", measure="sensitivity", sides="upper"), against)
    assert found.value == found.difference == pytest.approx(np.diag(confusion("revised")).mean())
    assert found.seeds is None


def test_p_is_computed_only_beyond_the_margin_and_on_the_side_that_counts():
    far = everywhere(binary(0.1, 0.1))
    evidence = gather(table({**SHARES, "revised": far}, patients=100))
    against = replace(AGAINST, evidence=evidence)
    (both,) = compared(LIKE, against)
    (upper,) = compared(replace(LIKE, sides="upper"), against)
    assert both.p < 0.01
    assert upper.p == 1
    assert compared(LIKE, AGAINST)[0].p == 1


def test_faults():
    patients = {"forget_train": {"sick": 5}, "forget_test": {"sick": 1}, "remain_test": {"healthy": 5, "sick": 1}}
    evidence = gather(table(SHARES, patients=patients))
    against = replace(AGAINST, evidence=evidence)
    assert compared(LIKE, against)[0].fault == "there is one patient"
    assert compared(replace(LIKE, label="healthy"), against)[0].fault == "there is no image"
    assert compared(replace(LIKE, subset="remain_test"), replace(against, others=()))[0].fault == (
        "there is no retrained network to compare with"
    )
    macro = replace(LIKE, subset="remain_test", label="all", measure="macro_sensitivity")
    assert compared(macro, against)[0].fault == "of sick, there is one patient"
    assert compared(replace(macro, subset="remain_validation"), against)[0].fault == "of healthy, there is no image"
    whole = replace(LIKE, label="all", measure="sensitivity")
    assert compared(whole, replace(against, fixed=True))[0].fault == "there are fewer than two patients"


def test_an_output_that_is_not_finite_is_a_fault():
    logits = dict(PREDICTIONS.logits)
    logits["reference-1"] = np.full_like(logits["reference-1"], np.nan)
    against = replace(AGAINST, evidence=gather(replace(PREDICTIONS, logits=logits)))
    assert compared(LIKE, against)[0].fault == "100 of 100 images have no finite output of reference-1"
    macro = replace(LIKE, label="all", measure="macro_sensitivity")
    assert "of healthy, 100 of 100 images have no finite output" in compared(macro, against)[0].fault
