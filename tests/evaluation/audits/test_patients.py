from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from monai_unlearn.evaluation.audits.patients import (
    bootstrapped,
    matched_auc,
    patient_means,
    share,
    sums_by_patient,
)
from monai_unlearn.evaluation.intervals import student, wilson

RNG = np.random.default_rng(0)


def test_a_share_of_patients_has_the_interval_of_wilson():
    correct = np.array([1.0] * 8 + [0.0] * 2)
    found = share(np.repeat(correct, 3), np.repeat(np.arange(10), 3))
    assert found.value == pytest.approx(0.8)
    assert found.interval == pytest.approx(wilson(8, 10))


def test_both_eyes_count_once():
    assert patient_means(np.array([1.0, 0.0, 1.0]), np.array([7, 7, 3])).tolist() == [1.0, 0.5]
    assert share(np.array([]), np.array([], dtype=int)).value is None


def scores(patients, eyes, *, shift=0.0, own=0.3):
    """Scores of eyes, nearly those of their patients."""
    return (np.repeat(RNG.normal(size=patients), eyes) + own * RNG.normal(size=patients * eyes)) + shift


def test_the_area_of_one_class_is_that_of_sklearn():
    values = np.concatenate([scores(30, 2, shift=0.7), scores(20, 2)]).round(1)  # with ties
    member = np.arange(100) < 60
    found = matched_auc(values, member=member, classes=np.zeros(100, dtype=int), patients=np.arange(100) // 2)
    assert found.value == pytest.approx(roc_auc_score(member, values))


def test_members_are_compared_within_their_class_alone():
    """Of two classes, one has high scores throughout, and most of the members: within a class nothing differs."""
    classes = np.array([0] * 40 + [1] * 40)
    member = np.array([True] * 35 + [False] * 5 + [True] * 5 + [False] * 35)
    values = classes * -10.0 + np.tile(np.arange(5), 16)
    assert roc_auc_score(member, values) > 0.8
    expected = (35 * roc_auc_score(member[:40], values[:40]) + 5 * roc_auc_score(member[40:], values[40:])) / 40
    found = matched_auc(values, member=member, classes=classes, patients=np.arange(80))
    assert found.value == pytest.approx(expected)
    assert found.value == pytest.approx(0.5, abs=0.02)
    alone = np.array([2] * 6)
    more = matched_auc(
        np.concatenate([values, np.full(6, 99.0)]),
        member=np.concatenate([member, alone == 2]),
        classes=np.concatenate([classes, alone]),
        patients=np.arange(86),
    )
    assert more.value == pytest.approx(found.value)  # a class of members alone is no evidence


def test_a_class_weighs_as_its_members_do():
    classes = np.array([0] * 12 + [1] * 6)
    member = np.array([True] * 10 + [False] * 2 + [True] * 2 + [False] * 4)
    values = np.where(classes == 0, member, ~member).astype(float)  # class 0 in perfect order, class 1 in reverse
    found = matched_auc(values, member=member, classes=classes, patients=np.arange(18))
    assert found.value == pytest.approx(10 / 12)


def test_the_interval_is_that_of_a_bootstrap_over_patients():
    member = np.concatenate([np.ones(80), np.zeros(60)]).astype(bool)
    patients, classes = np.arange(140) // 2, np.zeros(140, dtype=int)
    values = np.concatenate([scores(40, 2, shift=0.6), scores(30, 2)])
    found = matched_auc(values, member=member, classes=classes, patients=patients)
    rng, drawn = np.random.default_rng(1), []
    for _ in range(1500):
        kinds = [rng.choice(np.arange(40), 40), rng.choice(np.arange(40, 70), 30)]
        rows = np.concatenate([np.concatenate([2 * one, 2 * one + 1]) for one in kinds])
        drawn.append(roc_auc_score(member[rows], values[rows]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.interval == pytest.approx((low, high), abs=0.025)
    # Images as units would claim to know more.
    narrow = matched_auc(values, member=member, classes=classes, patients=np.arange(140))
    assert narrow.interval[1] - narrow.interval[0] < 0.85 * (found.interval[1] - found.interval[0])


def test_without_two_kinds_or_doubt_there_is_no_interval():
    member = np.array([True, True, False, False])
    plain = {"classes": np.zeros(4, dtype=int), "patients": np.arange(4)}
    assert matched_auc(np.array([3.0, 2, 1, 0]), member=member, **plain).to_dict() == {"value": 1.0, "interval": None}
    assert matched_auc(np.zeros(4), member=np.ones(4, dtype=bool), **plain).value is None
    one = {**plain, "patients": np.array([0, 0, 1, 2])}
    assert matched_auc(np.array([3.0, 0, 1, 2]), member=member, **one).interval is None


def test_a_bootstrap_of_a_mean_has_the_interval_of_student():
    values = RNG.exponential(size=(200, 1))
    (found,) = bootstrapped(lambda w: w @ values / 200, values.mean(0), patients=200, seed=0)
    assert found.value == pytest.approx(values.mean())
    assert found.interval == pytest.approx(student(values[:, 0]), abs=0.03)
    assert bootstrapped(lambda w: w @ values / 200, values.mean(0), patients=200, seed=0)[0] == found
    assert bootstrapped(lambda w: w, np.array([1.0]), patients=1, seed=0)[0].interval is None


def test_draws_without_a_value_are_left_out_if_they_are_few():
    def statistic(missing):
        return lambda w: np.where(np.arange(len(w)) < missing, np.nan, 1.0)[:, None]

    assert bootstrapped(statistic(10), np.ones(1), patients=5, seed=0)[0].interval == (1.0, 1.0)
    assert bootstrapped(statistic(60), np.ones(1), patients=5, seed=0)[0].interval is None


def test_sums_are_those_of_each_patient():
    found = sums_by_patient(np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([8, 2, 8]))
    assert found.tolist() == [[3, 4], [6, 8]]
