from __future__ import annotations

import pytest

from monai_unlearn.evaluation.decision.failure_bound import bound_line, failure_bound


@pytest.mark.parametrize(("cohorts", "percent"), [(1, 95), (3, 63), (10, 26), (29, 10), (59, 5)])
def test_without_a_failure_it_is_what_the_rule_says(cohorts, percent):
    assert round(100 * failure_bound(cohorts, cohorts)) == percent
    # (1 - bound) ** cohorts is the chance of seeing no failure: one in twenty.
    assert (1 - failure_bound(cohorts, cohorts)) ** cohorts == pytest.approx(0.05, abs=2e-3)


@pytest.mark.parametrize(("cohorts", "equivalent"), [(10, 9), (10, 5), (12, 1), (59, 58)])
def test_with_failures_so_few_happen_in_one_of_twenty(cohorts, equivalent):
    from math import comb

    bound, failures = failure_bound(cohorts, equivalent), cohorts - equivalent
    chance = sum(comb(cohorts, one) * bound**one * (1 - bound) ** (cohorts - one) for one in range(failures + 1))
    assert chance == pytest.approx(0.05, abs=1e-3)


def test_where_every_cohort_failed_nothing_is_bounded():
    assert failure_bound(4, 0) == 1.0


def test_more_equivalent_ones_than_cohorts_are_no_count():
    with pytest.raises(ValueError, match="k must"):
        failure_bound(3, 4)


def test_the_line_says_it_in_words():
    assert bound_line(59, 59) == "59 of 59 rehearsal cohorts equivalent, 95 % upper bound of failure 5 %"
