from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from monai_unlearn.evaluation.decision.matched_auc import MatchedAuc, Units


def units(losses, strata=None, patients=None, first=0):
    n = len(losses)
    return Units(
        losses=np.asarray(losses, float),
        strata=np.zeros(n, int) if strata is None else np.asarray(strata),
        patients=np.arange(first, first + n) if patients is None else np.asarray(patients),
    )


def drawn(rng, members=60, others=80, shift=0.5):
    return rng.exponential(size=members) - shift, rng.exponential(size=others)


def plain_auc(members, others):
    truth = [1] * len(members) + [0] * len(others)
    return roc_auc_score(truth, -np.concatenate([members, others]))


@pytest.mark.parametrize("seed", range(5))
def test_is_the_auc_of_scikit_learn(seed):
    members, others = drawn(np.random.default_rng(seed))
    members = members.round(1)  # with ties
    others = others.round(1)
    found = MatchedAuc.of(units(members), units(others, first=1000))
    assert found.value == pytest.approx(plain_auc(members, others))
    assert found.value == pytest.approx(stats.mannwhitneyu(others, members).statistic / len(members) / len(others))


def test_the_standard_error_is_that_of_de_long():
    """Written independently: covariance of the placements (DeLong et al. 1988, equation 4)."""
    members, others = drawn(np.random.default_rng(1), 200, 300)
    found = MatchedAuc.of(units(members), units(others, first=1000))
    placed = np.array([[(a < b) + 0.5 * (a == b) for b in others] for a in members])
    expected = placed.mean(1).var(ddof=1) / len(members) + placed.mean(0).var(ddof=1) / len(others)
    assert found.standard_error == pytest.approx(np.sqrt(max(expected, found.floor)), rel=1e-6)
    assert expected == pytest.approx(found._variance(found.members, found.others), rel=1e-6)


def test_the_interval_is_near_that_of_the_bootstrap():
    members, others = drawn(np.random.default_rng(2), 150, 200)
    found = MatchedAuc.of(units(members), units(others, first=1000))
    boot = stats.bootstrap(
        (members, others),
        plain_auc,
        confidence_level=0.9,
        n_resamples=500,
        rng=np.random.default_rng(0),
        vectorized=False,
        method="percentile",
    ).confidence_interval
    assert found.interval() == pytest.approx((boot.low, boot.high), abs=0.012)


def test_strata_keep_classes_apart():
    """Two classes of unlike difficulty, alike within: without strata, the AUC would be far from chance."""
    rng = np.random.default_rng(3)
    members = np.concatenate([rng.normal(0, 1, 100), rng.normal(5, 1, 20)])
    others = np.concatenate([rng.normal(0, 1, 40), rng.normal(5, 1, 160)])
    strata, theirs = [0] * 100 + [1] * 20, [0] * 40 + [1] * 160
    assert plain_auc(members, others) > 0.8
    found = MatchedAuc.of(units(members, strata), units(others, theirs, first=1000))
    by_class = (100 * plain_auc(members[:100], others[:40]) + 20 * plain_auc(members[100:], others[40:])) / 120
    assert found.value == pytest.approx(by_class)
    low, high = found.interval()
    assert low < 0.5 < high


def test_both_eyes_of_a_patient_are_one():
    """Each image twice, as two units of one patient, must not look like twice the patients."""
    members, others = drawn(np.random.default_rng(4))
    once = MatchedAuc.of(units(members), units(others, first=1000))
    twice = MatchedAuc.of(
        units(np.repeat(members, 2), patients=np.repeat(np.arange(60), 2)),
        units(np.repeat(others, 2), patients=np.repeat(np.arange(1000, 1080), 2)),
    )
    assert twice.value == pytest.approx(once.value)
    assert (twice.patients, once.patients) == (60, 60)
    assert twice._variance(twice.members, twice.others) == pytest.approx(
        once._variance(once.members, once.others), rel=0.02
    )


@pytest.mark.parametrize("patients", [30, 100])
def test_the_interval_covers_the_truth(patients):
    """Of 90 % intervals, each limit misses about one of twenty: normal losses, whose AUC is known."""
    rng = np.random.default_rng(5)
    shift = 0.6
    truth = stats.norm.cdf(shift / np.sqrt(2))
    missed = np.zeros(2)
    for _ in range(400):
        found = MatchedAuc.of(
            units(rng.normal(-shift, 1, patients)), units(rng.normal(0, 1, patients), first=patients)
        ).interval()
        missed += [truth < found[0], truth > found[1]]
    assert (missed / 400 < 0.085).all()
    assert missed.sum() / 400 > 0.04


def test_agreement_of_few_is_not_certainty():
    """All losses equal: no component varies, and yet 30 patients show no equivalence to ±0.05."""
    found = MatchedAuc.of(units([1.0] * 30), units([1.0] * 30, first=100))
    low, high = found.interval()
    assert found.value == 0.5
    assert low < 0.45
    assert high > 0.55


def test_the_difference_of_two_networks_is_paired():
    rng = np.random.default_rng(6)
    base = rng.normal(size=300)
    after = MatchedAuc.of(units(base[:100]), units(base[100:], first=1000))
    before = MatchedAuc.of(units(base[:100] - 0.3), units(base[100:], first=1000))
    assert before.value > after.value
    assert before.above(after) > 0  # although both intervals overlap
    assert before.interval()[0] < after.interval()[1]
    assert after.above(before) < 0
    assert not before.above(before) > 0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="needs members"):
        MatchedAuc.of(units([]), units([1.0, 2.0]))
    with pytest.raises(ValueError, match="two others in each stratum"):
        MatchedAuc.of(units([1.0, 2.0], [0, 1]), units([1.0, 2.0, 3.0], [0, 0, 1], first=10))


@pytest.mark.parametrize("others", [5, 6, 200])
def test_the_spread_of_those_who_are_alike_has_no_excess(others):
    rng = np.random.default_rng(7)
    found = [
        MatchedAuc.of(units(rng.normal(size=40)), units(rng.normal(size=others), first=1000)).excess_spread
        for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(0.0, abs=0.02)


def test_members_at_both_ends_have_an_excess():
    ends = MatchedAuc.of(units([-9.0, 9.0] * 20), units(np.linspace(-1, 1, 100), first=1000))
    assert ends.value == 0.5
    assert ends.excess_spread == pytest.approx(0.5, abs=0.01)
    middle = MatchedAuc.of(units([0.0] * 40), units(np.linspace(-1, 1, 100), first=1000))
    assert middle.excess_spread == pytest.approx(-0.5, abs=0.01)
