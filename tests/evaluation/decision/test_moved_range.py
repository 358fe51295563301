from __future__ import annotations

import numpy as np
import pytest
from decision_example import binary, decision, everywhere, table
from scipy import stats

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.moved_range import Moved, beside, changes

ORIGINAL, REVISED = everywhere(binary(0.95, 0.9)), everywhere(binary(0.75, 0.9))


def found_in(made):
    return changes(decision(), gather(made))


def test_changes_are_of_the_true_class_over_patients():
    made = table({"original": ORIGINAL, "revised": REVISED}, eyes=2)
    found = {(one.subset, one.label): one for one in found_in(made)}
    assert set(found) == {
        (subset, label) for subset in ("forget_train", "forget_test") for label in ("healthy", "sick")
    }
    rows = (made.frame["part"] == "forget") & (made.frame["split"] == "train") & (made.frame["label"] == "healthy")
    expected = made.frame[rows].assign(
        change=made.probabilities("revised")[rows, 0] - made.probabilities("original")[rows, 0]
    )
    assert found["forget_train", "healthy"].change == pytest.approx(expected.groupby("patient")["change"].mean().mean())
    assert found["forget_train", "healthy"].change == pytest.approx(-0.2 * 0.94, abs=0.02)
    by_patient = expected.groupby("patient")["change"].mean()
    low, high = stats.ttest_1samp(by_patient, 0).confidence_interval(0.9)
    assert found["forget_train", "healthy"].limits == pytest.approx((low, high))
    assert found["forget_train", "sick"].change == pytest.approx(0, abs=0.01)


def test_outputs_that_are_not_finite_are_no_change():
    made = table({"original": ORIGINAL, "revised": REVISED})
    made.logits["revised"][0] = np.nan
    assert [one.change is None for one in found_in(made)].count(True) == 1


def one(**changed):
    return Moved(**{"subset": "forget_test", "label": "sick", "patients": 40, "min_patients": 30, **changed})


@pytest.mark.parametrize(
    ("changed", "inside", "said"),
    [
        (
            {"change": -0.2, "low": -0.3, "high": -0.1},
            True,
            "by −20.0 points, in the rehearsal by −30.0 to −10.0",
        ),
        ({"change": -0.3, "low": -0.3, "high": -0.1}, True, "moved by"),
        ({"change": -0.31, "low": -0.3, "high": -0.1}, False, "moved by"),
        ({"change": 0.0, "low": -0.3, "high": -0.1}, False, "moved by +0.0"),
        ({"change": -0.2}, False, "no rehearsal cohort shows"),
        ({"low": -0.3, "high": -0.1}, False, "no image with finite outputs"),
        ({"change": -0.2, "low": -0.3, "high": -0.1, "patients": 29}, False, "29 patients are too few"),
    ],
)
def test_inside_or_why_not(changed, inside, said):
    found = one(**changed)
    assert found.is_inside is inside
    assert said in found.sentence
    assert found.sentence.startswith("forget test, class sick: ")
    assert found.to_dict()["inside"] is inside


def test_ranges_without_a_change_and_changes_without_a_range_both_stand():
    ranges = {("forget_test", "sick"): (-0.3, 0.0), ("forget_train", "sick"): (-0.4, -0.1)}
    found = beside([one(change=-0.2), one(change=-0.2, label="healthy")], ranges)
    assert [(entry.subset, entry.label, entry.change, entry.low) for entry in found] == [
        ("forget_test", "sick", -0.2, -0.3),
        ("forget_test", "healthy", -0.2, None),
        ("forget_train", "sick", None, -0.4),
    ]
    assert [entry.is_inside for entry in found] == [True, False, False]
