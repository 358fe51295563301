from __future__ import annotations

from collections import Counter

import pytest

from monai_unlearn.phantom.assignment import assign, assign_seldom

KINDS = ("a", "a", "b", "c")


@pytest.mark.parametrize("seed", range(3))
def test_each_block_of_patients_gets_every_kind_once(seed):
    assigned = [assign(KINDS, seed=seed, number=number) for number in range(1, 41)]
    for first in range(0, 40, 4):
        assert Counter(assigned[first : first + 4]) == Counter(KINDS)
    assert len({tuple(assigned[first : first + 4]) for first in range(0, 40, 4)}) > 1


def test_the_order_depends_on_seed_and_number_alone():
    orders = {tuple(assign(KINDS, seed=seed, number=number) for number in range(1, 13)) for seed in (0, 1, 2, 0, 1, 2)}
    assert len(orders) == 3


def test_seldom_assigned_kinds_come_in_turn():
    assigned = {number: assign_seldom("xyz", number=number, every=5, first=3) for number in range(1, 20)}
    assert {number: kind for number, kind in assigned.items() if kind} == {3: "x", 8: "y", 13: "z", 18: "x"}


def test_patients_before_the_first_get_nothing():
    assert [assign_seldom("xyz", number=number, every=5, first=8) for number in (3, 8)] == [None, "x"]
