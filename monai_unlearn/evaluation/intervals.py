"""Intervals and tests for proportions; the arithmetic is SciPy's."""

from __future__ import annotations

from scipy.stats import binomtest

CONFIDENCE = 0.95


def wilson(correct: int, n: int, *, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Return the Wilson score interval of a proportion, or nothing where n is 0.

    Wilson 1927, J. Am. Stat. Assoc. 22:209, without continuity correction.
    """
    if n == 0:
        return None
    interval = binomtest(correct, n).proportion_ci(confidence_level=confidence, method="wilson")
    return float(interval.low), float(interval.high)


def difference(a: tuple[int, int], b: tuple[int, int], *, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Return an interval of p_a − p_b for two independent proportions (correct, n), or nothing.

    Newcombe 1998, Statistics in Medicine 17:873, method 10: built from the two Wilson intervals.
    """
    first, second = wilson(*a, confidence=confidence), wilson(*b, confidence=confidence)
    if first is None or second is None:
        return None
    (low_a, high_a), (low_b, high_b) = first, second
    p_a, p_b = a[0] / a[1], b[0] / b[1]
    down = ((p_a - low_a) ** 2 + (high_b - p_b) ** 2) ** 0.5
    up = ((high_a - p_a) ** 2 + (p_b - low_b) ** 2) ** 0.5
    return p_a - p_b - down, p_a - p_b + up


def changed(lost: int, gained: int) -> float:
    """Return the p value of an exact McNemar test: of the images that changed, did more change one way?

    McNemar 1947, Psychometrika 12:153; exact binomial form, two-sided. 1 where no image changed.

    Args:
        lost: Images read rightly before and wrongly after.
        gained: Images read wrongly before and rightly after.
    """
    return float(binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0
