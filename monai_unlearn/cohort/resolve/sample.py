"""Selective forgetting: a choice by hash, so that the same seed keeps it when an index grows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from monai_unlearn.cohort.spec.document import Sample

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]


def drawn(units: Sequence[str], sample: Sample, strata: Numbers | None = None) -> Mask:
    """Choose a share or a number of the units.

    A unit's place depends on nothing but the seed and itself.

    With `fraction` f every unit whose place in [0, 1) is below f is chosen: on a grown index every earlier
    choice stands. Of every stratum about f is chosen, the nearer the larger it is. Exactly f of each cannot
    be had: a rule that takes no choice back whatever is added, and chooses every unit with the same
    probability f in small indexes and in large ones, cannot look at the other units at all. So strata
    change nothing in this choice; how far each one's share is from f is reported.

    With `count` n the n first are chosen: on a grown index an earlier choice gives way to nothing but a new
    unit. With strata, each gets its share of n by Webster's method (Sainte-Laguë), and has its own first
    chosen; where two strata come equal, the unit with the lower place decides. A larger n then contains a
    smaller one, which sharing by largest remainders does not ensure. When strata grow unequally their
    shares of n shift, and with them how many of each are chosen, but never in which order.

    A unit costs one SHA-256: a million takes about a second.

    Args:
        units: The units to choose from, all different.
        sample: How many, and the seed.
        strata: The number of each unit's stratum, shape (units,), at least 0.

    Returns:
        Whether each unit is chosen, shape (units,).
    """
    digests = _digests(units, sample.seed)
    if sample.fraction is not None:
        chosen: Mask = _places(digests) < sample.fraction
        return chosen
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    if strata is not None:
        turns = _turns(strata[order])
        order = order[np.argsort(turns, kind="stable")]
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[: sample.count]] = True
    return chosen


def place_of(unit: str, seed: int) -> float:
    """Return a unit's place in [0, 1): the first 53 bits, what a float holds, of a SHA-256.

    The word in front keeps the choice independent of the split into train and test, which hashes the same
    patients: with the same seed, half of the patients would else be all of those tested on.
    """
    return float(_places(_digests([unit], seed))[0])


def _digests(units: Iterable[str], seed: int) -> npt.NDArray[np.uint64]:
    """Return the first 128 bits of each unit's SHA-256, as two numbers, shape (units, 2)."""
    head = f"sample:{seed}:".encode()
    digests = b"".join([hashlib.sha256(head + unit.encode()).digest()[:16] for unit in units])
    return np.frombuffer(digests, ">u8").astype(np.uint64).reshape(-1, 2)


def _places(digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    places: npt.NDArray[np.float64] = (digests[:, 0] >> np.uint64(11)) / 2.0**53
    return places


def _turns(strata: Numbers) -> npt.NDArray[np.float64]:
    """Return when each unit's turn is: the k-th of a stratum of m comes at (2 k - 1) / m.

    Args:
        strata: The strata of the units in the order of their places, shape (units,).
    """
    together = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    before = np.cumsum(sizes) - sizes
    turns = np.empty(len(strata))
    turns[together] = (2 * (np.arange(len(strata)) - before[strata[together]]) + 1) / sizes[strata[together]]
    return turns
