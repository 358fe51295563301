"""Selective forgetting: a choice by hash, so that the same seed keeps it when an index grows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monai_unlearn.cohort.document import Sample


def chosen_units(units: Iterable[str], sample: Sample) -> set[str]:
    """Choose a share or a number of the units.

    A unit's place depends on nothing but the seed and itself. With `fraction` f every unit whose place in
    [0, 1) is below f is chosen, about f of them; with `count` n, the n first.
    """
    places = {unit: place_of(unit, sample.seed) for unit in units}
    if sample.fraction is not None:
        return {unit for unit, place in places.items() if place < sample.fraction}
    return set(sorted(places, key=lambda unit: (places[unit], unit))[: sample.count])


def place_of(unit: str, seed: int) -> float:
    """Return a unit's place in [0, 1): the first 53 bits, what a float holds, of a SHA-256.

    The word in front keeps the choice independent of the split into train and test, which hashes the same
    patients: with the same seed, half of the patients would else be all of those tested on.
    """
    digest = hashlib.sha256(f"sample:{seed}:{unit}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
