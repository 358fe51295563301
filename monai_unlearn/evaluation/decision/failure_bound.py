"""How often a rehearsed protocol may fail, given how often it did in the rehearsal."""

from __future__ import annotations

import math

from scipy.stats import binomtest

LEVEL = 0.95
_DIGITS = 1e4


def failure_bound(cohorts: int, equivalent: int) -> float:
    """Return the one-sided 95 % upper limit of the share of failures, rounded up to four decimals.

    Clopper and Pearson (1934): the largest share at which so few failures among so many cohorts still happen in one
    rehearsal of twenty. Whatever did not come out equivalent is a failure, whether shown to be different or not.

    Args:
        cohorts: How many rehearsal cohorts were counted, at least 1.
        equivalent: How many of them came out equivalent.

    Raises:
        ValueError: There are more equivalent ones than cohorts, or no cohort.

    >>> [failure_bound(number, number) for number in (3, 10, 59)]
    [0.6316, 0.2589, 0.0496]
    """
    limit = binomtest(cohorts - equivalent, cohorts).proportion_ci(2 * LEVEL - 1, method="exact").high
    return min(1.0, math.ceil(float(limit) * _DIGITS) / _DIGITS)


def bound_line(cohorts: int, equivalent: int) -> str:
    """Return the line that a protocol and every verdict by it carry.

    >>> bound_line(10, 10)
    '10 of 10 rehearsal cohorts equivalent, 95 % upper bound of failure 26 %'
    """
    bound = failure_bound(cohorts, equivalent)
    return f"{equivalent} of {cohorts} rehearsal cohorts equivalent, 95 % upper bound of failure {100 * bound:.0f} %"


def is_accepted(bound: float, accepted: float) -> bool:
    """Return whether a bound is one that a run accepts, in whole percent, as its line states it.

    >>> is_accepted(0.2589, 0.2589), is_accepted(0.6316, 0.63), is_accepted(0.6316, 0.62)
    (True, True, False)
    """
    return min(bound, round(bound, 2)) <= accepted
