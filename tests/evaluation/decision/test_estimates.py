"""Against the formula of the interval, written out with SciPy's distributions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from monai_unlearn.evaluation.decision.estimates import compare, compare_mean

RNG = np.random.default_rng(0)
SUBJECT = RNG.beta(2, 2, (400, 2))
OTHERS = np.clip(SUBJECT + RNG.normal(0, 0.05, (4, 400, 2)) + RNG.normal(0, 0.05, (4, 1, 2)), 0, 1)


def test_interval_is_the_formula_where_many_patients_differ():
    found = compare(SUBJECT, OTHERS)
    paired = SUBJECT - OTHERS.mean(0)
    d, s_r = paired.mean(0), OTHERS.mean(1).std(0, ddof=1)
    se = paired.std(0, ddof=1) / 20
    half = np.hypot(t.ppf(0.95, 3) * s_r / 2, t.ppf(0.95, 399) * se)
    low, high = found.limits()
    assert found.difference == pytest.approx(d)
    assert found.seed_sd == pytest.approx(s_r)
    assert found.patient_se == pytest.approx(se)
    # Gaffke's distance is larger by the weight of one patient: 1 of 401.
    assert np.all(low <= d - half + 1e-12)
    assert low == pytest.approx(d - half, abs=0.005)
    assert high == pytest.approx(d + half, abs=0.005)


def test_a_single_retrained_network_strays_as_student_predicts():
    spread = OTHERS.mean(1).std(0, ddof=1)
    assert compare(SUBJECT, OTHERS).stray() == pytest.approx(t.ppf(0.99, 3) * spread * (1 + 1 / 4) ** 0.5)
    assert compare(SUBJECT, OTHERS[:1], fixed=True).stray().tolist() == [0, 0]


def test_no_patient_differs_is_not_certain():
    same = np.full((30, 1), 0.5)
    low, high = compare(same, np.stack([same] * 3)).limits()
    assert high[0] == pytest.approx(1 - 0.05 ** (1 / 30), rel=0.02)
    assert low[0] == pytest.approx(-high[0])


def test_one_seed_says_nothing():
    found = compare(SUBJECT, OTHERS[:1])
    assert np.isinf(found.target_distance()).all()
    low, high = found.limits()
    assert low.tolist() == [-1, -1]
    assert high.tolist() == [1, 1]


def test_a_fixed_network_has_no_seeds():
    found = compare(SUBJECT, OTHERS[:1], fixed=True)
    assert found.seed_sd is None
    assert found.target_distance().tolist() == [0, 0]


def test_p_is_where_the_interval_touches_the_margin():
    found = compare(np.clip(SUBJECT + 0.3, 0, 1), OTHERS)
    below, above = found.p_beyond(0.1)
    assert below.tolist() == [1, 1]
    assert np.all((above > 1e-9) & (above < 0.05))
    for i, level in enumerate(above):
        assert found.limits(level)[0][i] == pytest.approx(0.1, abs=1e-3)


def test_mean_over_classes():
    numbers = [np.arange(400), np.arange(200, 600)]  # half of the patients are in both
    subjects, others = list(SUBJECT.T), [OTHERS[..., 0], OTHERS[..., 1]]
    found = compare_mean(subjects, others, numbers)
    assert found.value[0] == pytest.approx(SUBJECT.mean())
    assert found.target[0] == pytest.approx(OTHERS.mean())
    assert found.seed_sd[0] == pytest.approx(OTHERS.mean((1, 2)).std(ddof=1))
    alone = [compare(subject[:, None], other[..., None]) for subject, other in zip(subjects, others, strict=True)]
    independent = np.hypot(alone[0].patient_se, alone[1].patient_se) / 2
    assert found.patient_se == pytest.approx(independent, rel=0.15)
    apart = compare_mean(subjects, others, [np.arange(400), np.arange(400, 800)])
    assert apart.patient_se == pytest.approx(independent)


def test_mean_over_classes_of_the_same_patients():
    numbers = [np.arange(400)] * 2
    found = compare_mean([SUBJECT[:, 0]] * 2, [OTHERS[..., 0]] * 2, numbers)
    assert found.patient_se == pytest.approx(compare(SUBJECT[:, :1], OTHERS[..., :1]).patient_se)
