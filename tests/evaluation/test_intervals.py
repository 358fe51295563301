from __future__ import annotations

import math

import numpy as np
import pytest

from monai_unlearn.evaluation import mcnemar, newcombe, student, wilson


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (3, 10), (10, 10), (81, 263), (1, 1)])
def test_wilson_agrees_with_its_closed_form(correct, n):
    z, p = 1.959963984540054, correct / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert wilson(correct, n) == pytest.approx((max(centre - half, 0), min(centre + half, 1)), abs=1e-12)


def test_wilson_without_images_is_none():
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("b", "a", "expected"),
    # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10.
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_agrees_with_the_published_table(b, a, expected):
    assert newcombe(a, b) == pytest.approx(expected, abs=6e-5)


def test_newcombe_without_images_is_none():
    assert newcombe((0, 0), (3, 4)) is None
    assert newcombe((3, 4), (0, 0)) is None


def test_student_agrees_with_the_tabulated_quantile():
    values = np.random.default_rng(0).normal(size=31)
    half = 2.042272 * values.std(ddof=1) / math.sqrt(31)  # t of 0.975 with 30 degrees of freedom
    assert student(values) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-6)


def test_student_covers_the_mean_of_skewed_losses():
    """With 30 exponential values, about as skewed as log losses are, 95 % are nominal and about 92 % true."""
    samples = np.random.default_rng(0).exponential(size=(1000, 30))
    intervals = [student(sample) for sample in samples]
    covered = np.mean([low <= 1 <= high for low, high in intervals])
    assert 0.90 < covered < 0.95


@pytest.mark.parametrize("values", [np.arange(29.0), np.zeros(0), np.full(1000, 0.3)])
def test_student_needs_thirty_values_and_some_spread(values):
    assert student(values) is None


def test_mcnemar_is_the_binomial_tail():
    tail = sum(math.comb(12, k) for k in range(3)) / 2**12
    assert mcnemar(lost=10, gained=2) == pytest.approx(2 * tail)
    assert mcnemar(lost=0, gained=0) == 1
