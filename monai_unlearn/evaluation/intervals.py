"""Confidence intervals and tests; the arithmetic is SciPy's.

All of them treat images as independent. Several images of one patient are not: intervals are then too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest, t

if TYPE_CHECKING:
    import numpy.typing as npt

CONFIDENCE = 0.95
# A rule of thumb: the mean of this many values is about normal even if their distribution is skewed.
ENOUGH_FOR_MEAN = 30


def wilson(correct: int, n: int, *, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Return the Wilson score interval of a proportion, or None if n is 0.

    Wilson 1927, J. Am. Stat. Assoc. 22:209, without continuity correction.

    >>> low, high = wilson(8, 10)
    >>> f"{low:.3f} to {high:.3f}"
    '0.490 to 0.943'
    """
    if n == 0:
        return None
    interval = binomtest(correct, n).proportion_ci(confidence_level=confidence, method="wilson")
    return float(interval.low), float(interval.high)


def newcombe(a: tuple[int, int], b: tuple[int, int], *, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Return an interval of p_b − p_a for two independent proportions (correct, n), or None if an n is 0.

    Newcombe 1998, Statistics in Medicine 17:873, method 10: built from the two Wilson intervals.
    """
    first, second = wilson(*a, confidence=confidence), wilson(*b, confidence=confidence)
    if first is None or second is None:
        return None
    (low_a, high_a), (low_b, high_b) = first, second
    p_a, p_b = a[0] / a[1], b[0] / b[1]
    down = ((p_b - low_b) ** 2 + (high_a - p_a) ** 2) ** 0.5
    up = ((high_b - p_b) ** 2 + (p_a - low_a) ** 2) ** 0.5
    return p_b - p_a - down, p_b - p_a + up


def student(values: npt.NDArray[np.float64], *, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Return Student's t interval of a mean, or None if the values do not support one.

    Student 1908, Biometrika 6:1. The mean must be about normal, so fewer than 30 values have no interval; at 30
    exponential values it covers the mean in about 92 % of samples instead of 95 %. Values that are all equal have
    none either: an interval of zero width would claim certainty.

    Args:
        values: Shape (value,).
        confidence: In (0, 1).
    """
    if len(values) < ENOUGH_FOR_MEAN or np.ptp(values) == 0:
        return None
    mean, error = values.mean(), values.std(ddof=1) / len(values) ** 0.5
    low, high = t.interval(confidence, len(values) - 1, loc=mean, scale=error)
    return float(low), float(high)


def mcnemar(lost: int, gained: int) -> float:
    """Return the p value of McNemar's exact test: of the images that changed, did more change one way?

    McNemar 1947, Psychometrika 12:153; exact binomial form, two-sided. 1 if no image changed.

    Args:
        lost: Images classified correctly before and incorrectly after.
        gained: Images classified incorrectly before and correctly after.
    """
    return float(binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0
