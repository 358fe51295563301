"""What a patient gets of several kinds, dealt by number: even a small set has every kind, about in its share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = TypeVar("Kind")

_ORDER = 2  # the stream of random numbers that orders a block, beside those that each kind of phantom numbers


def assign(kinds: Sequence[Kind], *, seed: int, number: int) -> Kind:
    """Return what patient `number` (from 1) gets.

    So many patients in a row as there are kinds get each of them once, in an order drawn for these patients.
    """
    block, place = divmod(number - 1, len(kinds))
    order = np.random.default_rng((seed, block, _ORDER)).permutation(len(kinds))
    return kinds[int(order[place])]


def assign_seldom(kinds: Sequence[Kind], *, number: int, every: int, first: int) -> Kind | None:
    """Return what patient `number` (from 1) gets if they are one of a few, who get the kinds in turn; else None.

    The few are patient `first`, and one in `every` so many after them.
    """
    turn, rest = divmod(number - first, every)
    return kinds[turn % len(kinds)] if rest == 0 and turn >= 0 else None
