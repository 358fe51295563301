from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import gumbel_r

from monai_unlearn.evaluation.audits.attacks import iam, loss_threshold, rmia

RNG = np.random.default_rng(0)
OWN, OUT = RNG.uniform(0.01, 0.99, 12), RNG.uniform(0.01, 0.99, (3, 12))
POPULATION, POPULATION_OUT = RNG.uniform(0.01, 0.99, 9), RNG.uniform(0.01, 0.99, (3, 9))
FITTED = RNG.uniform(0.7, 0.99, (3, 8))


def test_a_low_loss_is_a_member():
    assert loss_threshold(np.array([0.5, 1.0])).tolist() == pytest.approx([-math.log(2), 0])
    assert math.isfinite(loss_threshold(np.array([0.0]))[0])


def test_rmia_counts_the_population_images_that_an_image_is_likelier_than():
    def ratio(own, out):
        return own / (0.5 * (1.3 * np.mean(out) + 0.7))

    expected = [
        np.mean(
            [ratio(OWN[x], OUT[:, x]) / ratio(POPULATION[z], POPULATION_OUT[:, z]) >= 1 for z in range(len(POPULATION))]
        )
        for x in range(len(OWN))
    ]
    found = rmia(OWN, OUT, population=POPULATION, population_out=POPULATION_OUT)
    assert found.tolist() == pytest.approx(expected)
    assert len(set(expected)) > 4


def test_iam_is_the_mean_place_among_the_interpolated_levels():
    def signal(p):
        def raw(q):
            return -math.log(0.01 - math.log(1e-5 + q))

        return (raw(p) - raw(0)) / (raw(1) - raw(0))

    fit = np.mean([signal(p) for p in FITTED.ravel()])
    levels = [step / 99 for step in range(100)]
    expected = []
    for x in range(len(OWN)):
        total = 0.0
        for level, weight in itertools.pairwise(levels):
            between = [[signal(p) + level * (fit - signal(p)) for p in row] for row in OUT]
            scale = np.std(between) * math.sqrt(6) / math.pi
            centre = np.mean([row[x] for row in between]) - 0.5772156649 * scale
            total += weight * gumbel_r(loc=centre, scale=scale).cdf(signal(OWN[x]))
        expected.append(total / sum(levels[1:]))
    assert iam(OWN, OUT, fitted=FITTED).tolist() == pytest.approx(expected)


def test_iam_is_high_where_an_image_is_fitted():
    out = np.full((2, 4), 0.3) + RNG.uniform(-0.1, 0.1, (2, 4))
    fitted, fits = np.full((2, 6), 0.97), np.full(4, 0.97)
    assert iam(fits, out, fitted=fitted).min() > iam(out.mean(0), out, fitted=fitted).max() + 0.2
    assert np.isfinite(iam(fits, out[:1], fitted=fitted[:1])).all()
