from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monai_unlearn.evaluation.decision.comparison import Comparison
from monai_unlearn.evaluation.decision.holm import holm

ONE = Comparison(
    subset="forget_test",
    label="a",
    predicted=None,
    measure="sensitivity",
    margin=0.1,
    sides="both",
    value=0.5,
    target=0.2,
)


def by_hand(errors, level=0.05):
    """Holm's step-down procedure as its paper words it: the smallest error first, until one is too large."""
    rejected = set()
    for step, i in enumerate(np.argsort(errors, kind="stable")):
        if errors[i] > level / (len(errors) - step):
            break
        rejected.add(int(i))
    return [i in rejected for i in range(len(errors))]


@pytest.mark.parametrize("seed", range(20))
def test_as_by_hand(seed):
    errors = np.random.default_rng(seed).beta(0.3, 8, 10)
    found = holm([replace(ONE, p=p) for p in errors])
    assert [one.is_beyond for one in found] == by_hand(errors)


def test_what_one_retrained_network_strays_is_no_difference():
    near, far = replace(ONE, target=0.3, p=1e-4, stray=0.25), replace(ONE, target=0.2, p=1e-4, stray=0.25)
    assert [one.is_beyond for one in holm([near, far])] == [False, True]


def test_guards_and_what_could_not_be_judged_are_not_of_the_family():
    others = [replace(ONE, is_guard=True, p=1e-6), replace(ONE, value=None)] * 10
    found = holm([replace(ONE, p=0.04), *others])
    assert [one.is_beyond for one in found] == [True, *[False] * 20]
