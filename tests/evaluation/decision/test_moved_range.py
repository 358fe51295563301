from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, decision, everywhere, table
from scipy import stats

from monai_unlearn.evaluation.decision import gather
from monai_unlearn.evaluation.decision.moved_range import Moved, beside, changes

ORIGINAL, REVISED = everywhere(binary(0.95, 0.9)), everywhere(binary(0.75, 0.9))


def found_in(made, what="mean_probability"):
    return [one for one in changes(decision(), gather(made)) if one.what == what]


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
    assert [len(found_in(made, what)) for what in ("classified", "moved", "movement")] == [3, 3, 3]


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
    own = ("mean_probability", None)
    ranges = {("forget_test", "sick", *own): (-0.3, 0.0), ("forget_train", "sick", *own): (-0.4, -0.1)}
    found = beside([one(change=-0.2), one(change=-0.2, label="healthy")], ranges)
    assert [(entry.subset, entry.label, entry.change, entry.low) for entry in found] == [
        ("forget_test", "sick", -0.2, -0.3),
        ("forget_test", "healthy", -0.2, None),
        ("forget_train", "sick", None, -0.4),
    ]
    assert [entry.is_inside for entry in found] == [True, False, False]


NAMES = ("healthy", "mild", "severe")


def three(**rows):
    return everywhere({"healthy": [0.9, 0.1, 0.0], "mild": [0.1, 0.8, 0.1], "severe": [0.0, 0.1, 0.9], **rows})


def test_what_images_are_classified_as_instead_is_told_apart():
    """Two revisions that forget severe images alike: one calls them mild, the other healthy."""
    shares = {"original": three(), "revised": three(severe=[0.0, 0.4, 0.6])}
    missed = {**shares, "revised": three(severe=[0.3, 0.1, 0.6])}
    found = []
    for one in (shares, missed):
        made = table(one, class_names=NAMES, stable=1.0)
        rows = changes(decision(NAMES), gather(made))
        found.append({one.place: one for one in rows})
    severe = ("forget_test", "severe")
    first, second = ([rows[(*severe, "classified", name)].change for name in NAMES[:2]] for rows in found)
    assert (first, second) == (pytest.approx([0.0, 0.3]), pytest.approx([0.3, 0.0]))
    assert (*severe, "classified", "severe") not in found[0]
    own = (*severe, "mean_probability", None)
    assert found[0][own].change == pytest.approx(found[1][own].change)
    ranges = {place: one.limits for place, one in found[0].items()}
    assert all(one.is_inside for one in beside(list(found[0].values()), ranges))
    outside = [one for one in beside(list(found[1].values()), ranges) if not one.is_inside]
    assert {one.label for one in outside} == {"severe"}
    assert {one.predicted for one in outside if one.what == "classified"} == {"healthy", "mild"}
    assert outside[0].sentence == (
        "forget train, class severe: the share of its images classified as healthy moved by +30.0 points, in the "
        "rehearsal by −1.5 to +1.5."
    )


@pytest.mark.parametrize("patients", [30, 200])
def test_most_patients_as_before_are_told_apart_where_the_mean_agrees(patients):
    made = table({"original": ORIGINAL, "revised": ORIGINAL}, patients=patients, stable=1.0)
    rows = made.frame["part"].eq("forget").to_numpy()
    shares = made.probabilities("original")
    few = np.arange(len(rows)) % 10 < 3
    logits = []
    for by, chosen in ((0.1, rows), (0.1 / 0.3, rows & few)):
        moved = np.where(shares > 0.5, shares - by, shares + by)
        logits.append(np.log(np.where(chosen[:, None], moved, shares)))
    every, some = (changes(decision(), gather(replace(made, logits={**made.logits, "revised": one}))) for one in logits)
    ranges = {one.place: one.limits for one in every}
    found = {one.place: one for one in beside(some, ranges)}
    for subset in ("forget_train", "forget_test"):
        for label in ("healthy", "sick"):
            assert found[subset, label, "movement", None].is_inside
            one = found[subset, label, "moved", None]
            assert (one.change, one.is_inside) == (0.3, False)
            assert "the predictions of 30.0 % of its patients moved by 5 points or more" in one.sentence


def test_a_class_that_nobody_was_called_is_known_no_better_than_its_patients_allow():
    made = table({"original": ORIGINAL, "revised": ORIGINAL}, patients=40, stable=1.0)
    rows = [one for one in changes(decision(), gather(made)) if one.what == "classified"]
    # The rule of three: of 40 patients none moved.
    assert [one.limits for one in rows] == [pytest.approx((-(1 - 0.05 ** (1 / 40)), 1 - 0.05 ** (1 / 40)))] * 4
