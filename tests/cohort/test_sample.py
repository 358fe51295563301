from __future__ import annotations

import pytest

from monai_unlearn.cohort.document import Sample
from monai_unlearn.cohort.sample import chosen_units, place_of
from monai_unlearn.cohort.split import SplitRule

UNITS = [f"patient {number}" for number in range(4000)]


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_about_the_wanted_share_is_drawn(fraction):
    drawn = chosen_units(UNITS, Sample(fraction=fraction))
    assert abs(len(drawn) / len(UNITS) - fraction) < 0.025


def test_the_whole_is_the_whole():
    assert chosen_units(UNITS, Sample(fraction=1)) == set(UNITS)


def test_a_number_is_exact_and_at_most_all():
    assert len(chosen_units(UNITS, Sample(count=17))) == 17
    assert chosen_units(UNITS[:3], Sample(count=17)) == set(UNITS[:3])


def test_a_smaller_sample_is_within_a_larger_one():
    assert chosen_units(UNITS, Sample(fraction=0.2)) < chosen_units(UNITS, Sample(fraction=0.3))
    assert chosen_units(UNITS, Sample(count=20)) < chosen_units(UNITS, Sample(count=30))


def test_places_are_fixed_for_ever():
    # A change here would silently draw other patients for every spec that exists.
    assert place_of("patient 1", 0) == pytest.approx(0.735166, abs=5e-7)
    assert all(0 <= place_of(unit, 1) < 1 for unit in UNITS)


def test_the_sample_does_not_follow_the_split():
    rule = SplitRule(seed=0, test_fraction=0.2)
    drawn = chosen_units(UNITS, Sample(fraction=0.2, seed=0))
    tested = {unit for unit in UNITS if rule.of(unit) == "test"}
    assert abs(len(drawn & tested) / len(tested) - 0.2) < 0.05
