"""Against Clopper and Pearson's limit for values 0 and 1, and against a simulation of Gaffke's for others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from monai_unlearn.evaluation.decision.exact_limit import Moments, distance_above


def above(values, level=0.05, bound=1.0):
    column = np.asarray(values, dtype=float)[:, None]
    return float(distance_above(Moments.of(column), level, bound=bound)[0])


@pytest.mark.parametrize(("ones", "n"), [(0, 5), (0, 30), (1, 30), (3, 40), (20, 25), (30, 30)])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_is_clopper_pearson_for_two_values(ones, n, level):
    values = np.repeat([1.0, 0.0], [ones, n - ones])
    expected = binomtest(ones, n).proportion_ci(1 - 2 * level, method="exact").high
    # Pearson's distribution may be the wider one.
    assert expected - 1e-6 <= values.mean() + above(values, level) <= min(1, expected * 1.03)


def simulated(values, level):
    rng = np.random.default_rng(0)
    weights = rng.exponential(size=(40_000, len(values) + 1))
    sums = weights @ np.append(values, 1.0) / weights.sum(1)
    return np.quantile(sums, 1 - level) - np.mean(values)


RNG = np.random.default_rng(1)
SAMPLES = {
    "normal": RNG.normal(0, 0.15, 30),
    "few": RNG.normal(0.2, 0.1, 5),
    "both ways": np.repeat([1.0, -1.0, 0.0], [1, 2, 57]),
    "skewed": -RNG.beta(0.3, 3, 100),
    "many": RNG.normal(0, 0.3, 800).clip(-1, 1),
}


@pytest.mark.parametrize("name", list(SAMPLES))
def test_is_close_to_the_simulated_limit(name):
    values = SAMPLES[name]
    assert above(values) == pytest.approx(simulated(values, 0.05), rel=0.05 if len(values) < 30 else 0.03)


def test_rule_of_three():
    assert above(np.full(30, 0.2)) == pytest.approx(0.8 * (1 - 0.05 ** (1 / 30)), rel=0.01)


def test_below_is_above_of_the_mirrored():
    values = SAMPLES["skewed"][:, None]
    assert distance_above(Moments.of(values).mirrored(), 0.05) == pytest.approx(
        distance_above(Moments.of(-values), 0.05)
    )


def test_nothing_is_above_the_bound():
    assert above(np.ones(10)) == 0.0
    assert above(np.full(10, 0.5), 0.001) <= 0.5


def test_covers_rare_flips_where_student_does_not():
    """A tenth of the patients flips: of 30, often none or one does, and Student's interval then is too narrow."""
    rng = np.random.default_rng(2)
    flips = (rng.random((30, 2000)) < 0.1).astype(float)
    limits = flips.mean(0) + distance_above(Moments.of(flips), 0.05)
    assert np.mean(limits < 0.1) <= 0.05
    student = flips.mean(0) + 1.699 * flips.std(0, ddof=1) / np.sqrt(30)
    assert np.mean(student < 0.1) > 0.12
