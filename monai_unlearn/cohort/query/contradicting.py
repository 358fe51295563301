"""Copies of one image that contradict each other: what a predicate evaluates to on them is unknown.

Files with one SOPInstanceUID and different patients, studies or devices are rows of their own, with the fault
`conflicting_duplicate`. Nobody knows which of them is right, so no rule can be true or false of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from monai_unlearn.cohort.query.answers import CategoricalColumn, Identity, Verdict
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.store.schema import CONFLICT

if TYPE_CHECKING:
    from monai_unlearn.cohort.query.answers import Mask


@dataclass(frozen=True)
class Contradicting:
    """The rows that contradict another.

    Attributes:
        rows: Whether a row does, shape (rows,).
        image: The SOPInstanceUID of each such row, no value elsewhere; of no row at all where none contradicts another.
    """

    rows: Mask
    image: CategoricalColumn

    @classmethod
    def of(cls, identity: Identity) -> Contradicting:
        """Find them by their fault."""
        having = identity.having(Fault.CONFLICTING_DUPLICATE.code)
        if not having.any():
            return cls(having, CategoricalColumn(np.zeros(0, np.int64), pa.nulls(0, pa.string())))
        rows = identity.readable & having
        names: list[str | None] = [None] * len(rows)
        places = np.flatnonzero(rows)
        images = identity.image.texts.take(pa.array(identity.image.codes[places])).to_pylist()
        for row, image in zip(places, images, strict=True):
            names[row] = image.partition(CONFLICT)[0]
        return cls(rows, CategoricalColumn.of(pa.chunked_array([pa.array(names, pa.string())])))

    def unknown(self, verdict: Verdict) -> Verdict:
        """Return what a rule evaluates to: unknown on these rows."""
        if not len(self.image.codes):
            return verdict
        return Verdict(true=verdict.true & ~self.rows, false=verdict.false & ~self.rows)

    def verdict(self, population: Verdict) -> Verdict:
        """Return whether rows are in the population: unknown on these, unless all copies of an image agree."""
        if not len(self.image.codes):
            return population
        true, false = population.true, population.false
        return Verdict(
            true=true & ~self.image.sharing(self.rows & ~true), false=false & ~self.image.sharing(self.rows & ~false)
        )
