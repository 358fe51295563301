from __future__ import annotations

import math

import pytest

from monai_unlearn.evaluation import changed, difference, wilson


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (3, 10), (10, 10), (81, 263), (1, 1)])
def test_wilson_agrees_with_its_closed_form(correct, n):
    z, p = 1.959963984540054, correct / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert wilson(correct, n) == pytest.approx((max(centre - half, 0), min(centre + half, 1)), abs=1e-12)


def test_wilson_of_nothing_is_nothing():
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10.
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_difference_agrees_with_the_published_table(a, b, expected):
    assert difference(a, b) == pytest.approx(expected, abs=6e-5)


def test_difference_with_nothing_is_nothing():
    assert difference((0, 0), (3, 4)) is None
    assert difference((3, 4), (0, 0)) is None


def test_mcnemar_is_the_binomial_tail():
    tail = sum(math.comb(12, k) for k in range(3)) / 2**12
    assert changed(lost=10, gained=2) == pytest.approx(2 * tail)
    assert changed(lost=0, gained=0) == 1
