"""Strata: the groups that a sample is spread over, and what was drawn of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Strata:
    """What a sample drew from its strata: counts only.

    Attributes:
        count: How many strata there are.
        empty: How many of them the sample drew no unit from.
        least_share: The smallest share of a stratum's units that was drawn, in [0, 1].
        largest_share: The largest such share, in [0, 1].
        images_without_value: How many of the images drawn from lack a value in at least one of the fields.
    """

    count: int
    empty: int
    least_share: float
    largest_share: float
    images_without_value: int

    @classmethod
    def of(cls, strata: Numbers, chosen: Mask, values: Sequence[Numbers]) -> Strata:
        """Count what was chosen.

        Args:
            strata: The stratum of each unit, numbered from 0 without a gap, shape (units,).
            chosen: Whether each unit was drawn, shape (units,).
            values: For each field, the code of each image's value, -1 where it is missing, shape (images,).
        """
        sizes = np.bincount(strata)
        hits = np.bincount(strata[chosen], minlength=len(sizes))
        shares = hits / sizes
        return cls(
            count=len(sizes),
            empty=int((hits == 0).sum()),
            least_share=float(shares.min(initial=1)),
            largest_share=float(shares.max(initial=0)),
            images_without_value=int(np.logical_or.reduce([numbers < 0 for numbers in values]).sum()),
        )

    def to_dict(self) -> dict[str, int | float]:
        """Return the counts as plain values."""
        return asdict(self)


def strata_of(unit: Numbers, values: Sequence[Numbers]) -> Numbers:
    """Return the stratum of every unit; a missing value counts as a value of its own.

    Units of several rows, such as a patient with two diagnoses, share a stratum when their rows have the same
    combinations of values.

    Args:
        unit: The unit of each row, numbered from 0 without a gap, shape (rows,).
        values: For each field, the code of each row's value, -1 where it is missing, shape (rows,).

    Returns:
        The number of each unit's stratum, from 0 without a gap, shape (units,).
    """
    combination = np.zeros(len(unit), dtype=np.int64)
    for numbers in values:
        combination = _renumbered(combination * (int(numbers.max(initial=0)) + 2) + numbers + 1)
    kinds = int(combination.max(initial=0)) + 1
    pairs = np.unique(unit * kinds + combination)
    found = pairs % kinds
    first = np.flatnonzero(np.diff(pairs // kinds, prepend=-1))
    end = np.append(first[1:], len(pairs))
    strata = found[first]
    several: dict[bytes, int] = {}
    for number in np.flatnonzero(end - first > 1):
        key = found[first[number] : end[number]].tobytes()
        strata[number] = kinds + several.setdefault(key, len(several))
    return _renumbered(strata)


def _renumbered(numbers: Numbers) -> Numbers:
    """Number the distinct values from 0 on, in their order."""
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)
