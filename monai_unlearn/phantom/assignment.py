"""Assign diagnoses and missing tags to patients by number: even a small set has every kind, about in its share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = TypeVar("Kind")

_ORDER = 2  # the random stream that orders a block; each kind of phantom numbers its own streams


def assign(kinds: Sequence[Kind], *, seed: int, number: int) -> Kind:
    """Return the kind that patient `number` (from 1) gets.

    N consecutive patients get each of N kinds once, in an order drawn for these patients.

    >>> sorted(assign("abc", seed=0, number=number) for number in (4, 5, 6))
    ['a', 'b', 'c']
    """
    block, place = divmod(number - 1, len(kinds))
    order = np.random.default_rng((seed, block, _ORDER)).permutation(len(kinds))
    return kinds[int(order[place])]


def assign_seldom(kinds: Sequence[Kind], *, number: int, every: int, first: int) -> Kind | None:
    """Return the kind that patient `number` (from 1) gets, or None for most patients.

    Patient `first` and every `every`-th patient after that get the kinds in turn.

    >>> [assign_seldom("xy", number=number, every=2, first=2) for number in range(1, 7)]
    [None, 'x', None, 'y', None, 'x']
    """
    turn, rest = divmod(number - first, every)
    return kinds[turn % len(kinds)] if rest == 0 and turn >= 0 else None
