from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_unlearn.cohort.resolve.sample import drawn, place_of, sample_text
from monai_unlearn.cohort.resolve.split import SplitRule
from monai_unlearn.cohort.spec.document import Sample

UNITS = [f"patient {number}" for number in range(4000)]


def chosen(units, sample, strata=None):
    """Return the units that are drawn, as a set."""
    mask = drawn(units, sample, None if strata is None else np.array(strata, dtype=np.int64))
    assert mask.shape == (len(units),)
    return {unit for unit, hit in zip(units, mask, strict=True) if hit}


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_about_the_wanted_share_is_drawn(fraction):
    assert abs(len(chosen(UNITS, Sample(fraction=fraction))) / len(UNITS) - fraction) < 0.025


def test_the_whole_is_the_whole():
    assert chosen(UNITS, Sample(fraction=1)) == set(UNITS)


def test_a_unit_whose_place_is_the_fraction_itself_is_not_drawn():
    place = place_of("patient 1", 5)
    assert chosen(["patient 1"], Sample(fraction=place, seed=5)) == set()
    assert chosen(["patient 1"], Sample(fraction=np.nextafter(place, 1), seed=5)) == {"patient 1"}


def test_a_number_is_exact_and_at_most_all():
    assert len(chosen(UNITS, Sample(count=17))) == 17
    assert chosen(UNITS[:3], Sample(count=17)) == set(UNITS[:3])


def test_nothing_is_drawn_from_nothing():
    assert chosen([], Sample(fraction=0.5)) == chosen([], Sample(count=3), strata=[]) == set()


def test_a_smaller_sample_is_within_a_larger_one():
    assert chosen(UNITS, Sample(fraction=0.2)) < chosen(UNITS, Sample(fraction=0.3))
    assert chosen(UNITS, Sample(count=20)) < chosen(UNITS, Sample(count=30))


def test_places_are_fixed_forever():
    # A change here would silently draw other patients for every spec that exists.
    assert place_of("patient 1", 0) == pytest.approx(0.735166, abs=5e-7)
    assert all(0 <= place_of(unit, 1) < 1 for unit in UNITS)


def test_agrees_with_an_independent_computation():
    def place(unit):
        return Fraction(int(hashlib.sha256(f"sample:5:{unit}".encode()).hexdigest(), 16), 16**64)

    units = ["Müller", *UNITS[:500]]
    assert chosen(units, Sample(fraction=0.3, seed=5)) == {unit for unit in units if place(unit) < 0.3}
    assert chosen(units, Sample(count=30, seed=5)) == set(sorted(units, key=place)[:30])


def test_the_sample_does_not_follow_the_split():
    rule = SplitRule(seed=0, test_fraction=0.2)
    drawn_units = chosen(UNITS, Sample(fraction=0.2, seed=0))
    tested = {unit for unit in UNITS if rule.of(unit) == "test"}
    assert abs(len(drawn_units & tested) / len(tested) - 0.2) < 0.05


# Strata

_STRATA = st.lists(st.integers(0, 4), max_size=60)


def _sizes(hits, strata):
    return Counter(stratum for unit, stratum in zip(UNITS, strata, strict=False) if unit in hits)


@pytest.mark.parametrize(
    ("sizes", "count", "quotas"),
    [
        ([60, 30, 10], 10, [6, 3, 1]),
        ([60, 30, 10], 100, [60, 30, 10]),
        ([60, 30, 10], 1000, [60, 30, 10]),
        ([53, 24, 23], 7, [3, 2, 2]),  # by largest remainders [4, 2, 1]
        ([90, 5, 5], 1, [1, 0, 0]),
    ],
)
def test_a_number_is_shared_in_proportion(sizes, count, quotas):
    strata = [stratum for stratum, size in enumerate(sizes) for _ in range(size)]
    units = UNITS[: len(strata)]
    found = _sizes(chosen(units, Sample(count=count), strata), strata)
    assert [found[stratum] for stratum in range(len(sizes))] == quotas


@given(_STRATA, st.integers(1, 60), st.integers(0, 5))
def test_sharing_agrees_with_webster_s_method_by_exact_fractions(strata, count, seed):
    units = UNITS[: len(strata)]
    order = sorted(zip(units, strata, strict=True), key=lambda pair: place_of(pair[0], seed))
    sizes, ranks = Counter(strata), Counter()
    turns = []
    for unit, stratum in order:
        ranks[stratum] += 1
        turns.append((Fraction(2 * ranks[stratum] - 1, sizes[stratum]), len(turns), unit))
    wanted = {unit for _, _, unit in sorted(turns)[:count]}
    assert chosen(units, Sample(count=count, seed=seed), strata) == wanted


@given(_STRATA, st.integers(1, 59))
def test_a_smaller_number_is_within_a_larger_one_with_strata_too(strata, count):
    units = UNITS[: len(strata)]
    assert chosen(units, Sample(count=count), strata) <= chosen(units, Sample(count=count + 1), strata)


@given(_STRATA, st.integers(1, 60))
def test_neither_the_order_of_the_units_nor_the_numbers_of_the_strata_matter(strata, count):
    units, sample = UNITS[: len(strata)], Sample(count=count)
    other = [7 * stratum + 3 for stratum in strata]
    assert chosen(units, sample, strata) == chosen(units[::-1], sample, other[::-1])


# A grown index


@given(_STRATA, _STRATA, st.floats(0.01, 1), st.integers(0, 5))
def test_a_share_keeps_every_earlier_draw(strata, more, fraction, seed):
    known, units = UNITS[: len(strata)], UNITS[: len(strata) + len(more)]
    sample = Sample(fraction=fraction, seed=seed)
    before, after = chosen(known, sample, strata), chosen(units, sample, strata + more)
    assert after & set(known) == before
    assert chosen(units, sample) == after


@given(_STRATA, _STRATA, st.integers(1, 60))
def test_only_new_units_with_lower_places_displace_an_earlier_draw(strata, more, count):
    known, units = UNITS[: len(strata)], UNITS[: len(strata) + len(more)]
    before, after = chosen(known, Sample(count=count)), chosen(units, Sample(count=count))
    assert after & set(known) <= before
    for gone in before - after:
        assert all(place_of(unit, 0) < place_of(gone, 0) for unit in after)


@given(_STRATA, _STRATA, st.integers(1, 60))
def test_each_stratum_keeps_its_earliest_draws_first(strata, more, count):
    """Shares of the number may shift between strata, but never the order within one."""
    known, units, sample = UNITS[: len(strata)], UNITS[: len(strata) + len(more)], Sample(count=count)
    before, after = chosen(known, sample, strata), chosen(units, sample, strata + more)
    for stratum in set(strata):
        own = {unit for unit, other in zip(known, strata, strict=True) if other == stratum}
        assert after & own <= before & own or before & own <= after & own


def test_every_stratum_gets_about_its_share():
    strata = [0] * 3000 + [1] * 1000
    found = _sizes(chosen(UNITS, Sample(fraction=0.5, seed=2), strata), strata)
    assert found[0] / 3000 == pytest.approx(0.5, abs=0.03)
    assert found[1] / 1000 == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("sample", "text", "uncounted"),
    [
        (Sample(count=7), "sample: count 7 by image, seed 0", "sample: count … by image, seed 0"),
        (
            Sample(fraction=0.25, by="patient", stratify=("sex", "site"), seed=3),
            "sample: fraction 0.25 by patient, stratified by sex, site, seed 3",
            "sample: fraction 0.25 by patient, stratified by sex, site, seed 3",
        ),
    ],
)
def test_a_sample_in_one_line_can_leave_out_its_number_of_units(sample, text, uncounted):
    assert sample_text(sample) == text
    assert sample_text(sample, counted=False) == uncounted
