"""The answers of an index to a spec, one entry per row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.query.arrays import encoded, known, numbers, of_mask, true
from monai_unlearn.cohort.query.distinct import is_blank
from monai_unlearn.index.faults import split

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CategoricalColumn:
    """A text column as integer codes.

    Attributes:
        codes: The code of each row, shape (rows,); -1 where the row has no value.
        texts: The text of each code, an Arrow array of distinct texts; texts without a row that counts may repeat.

    >>> import pyarrow as pa
    >>> device = CategoricalColumn.of(pa.chunked_array([["Cirrus", "Maestro", None, "Cirrus"]]))
    >>> device.codes.tolist(), device.names
    ([0, 1, -1, 0], ('Cirrus', 'Maestro'))
    >>> device.sharing(np.array([True, False, False, False])).tolist()
    [True, False, False, True]
    """

    codes: npt.NDArray[np.int64]
    texts: pa.Array

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> CategoricalColumn:
        """Encode a column of texts; white space alone is no value, else unrelated patients would share it."""
        found = encoded(column)
        codes = numbers(found.indices).astype(np.int64)
        if found.indices.null_count:
            codes[~known(found.indices)] = -1
        texts = found.dictionary
        blank = is_blank(texts)
        if blank.any():
            codes[np.append(blank, False)[codes]] = -1
        return cls(codes, texts)

    @classmethod
    def of_rows(cls, column: pa.ChunkedArray) -> CategoricalColumn:
        """Give each row a code of its own, for texts that are distinct in all rows that count; nothing is compared."""
        texts = column.combine_chunks()
        codes = np.arange(len(texts))
        blank = is_blank(texts)
        if blank.any():
            codes[blank] = -1
        return cls(codes, texts)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The text of each code, as Python strings."""
        return tuple(self.texts.to_pylist())

    @cached_property
    def present(self) -> int:
        """How many distinct values all rows together have."""
        return self.distinct(np.ones(len(self.codes), dtype=bool))

    def distinct(self, mask: Mask) -> int:
        """Return how many distinct values the chosen rows have; for a mask that cannot be written to, counted once."""
        if mask.flags.writeable:
            return int(self.among(mask).sum())
        if id(mask) not in self._counted:
            self._counted[id(mask)] = (mask, int(self.among(mask).sum()))
        return self._counted[id(mask)][1]

    @cached_property
    def _counted(self) -> dict[int, tuple[Mask, int]]:
        return {}  # a mask is kept as well, so that no other gets its id

    def counts(self, mask: Mask) -> dict[str, int]:
        """Return how many of the chosen rows have each value; rows without one are left out."""
        codes = self.codes[mask & (self.codes >= 0)]
        return dict(zip(self.names, np.bincount(codes, minlength=len(self.names)).tolist(), strict=True))

    def among(self, mask: Mask) -> Mask:
        """Return for each value whether a chosen row has it, shape (texts,)."""
        found = np.zeros(len(self.texts) + 1, dtype=bool)
        found[self.codes[mask]] = True  # code -1 finds the last
        return found[:-1]

    def chosen(self, values: Mask) -> list[str]:
        """Return the texts of the chosen values, shape (texts,), in the order of their codes."""
        texts: list[str] = self.texts.filter(of_mask(values)).to_pylist()
        return texts

    def sharing(self, mask: Mask) -> Mask:
        """Choose every row that has a value of a chosen row; rows without a value share none."""
        found = self.among(mask)
        return np.append(found, False)[self.codes]  # code -1 finds the appended False


@dataclass(frozen=True)
class Verdict:
    """What a predicate evaluates to on each row; where it is neither true nor false, it is unknown.

    Attributes:
        true: Where it is true, shape (rows,).
        false: Where it is false, shape (rows,).
    """

    true: Mask
    false: Mask

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Verdict:
        """Return the verdict of a column of booleans, in which null is unknown."""
        is_true = true(column)
        return cls(true=is_true, false=known(column) & ~is_true)


@dataclass(frozen=True)
class Identity:
    """What the rows of an index are, independent of any spec; one entry per row in each array.

    Attributes:
        image: The images' identifiers.
        units: Series, study and patient of each row.
        label: The class of each row, where the index has classes.
        readable: Whether the row is a usable image, shape (rows,).
        faults: Every fault of each row, joined by backslashes.
    """

    image: CategoricalColumn
    units: Mapping[str, CategoricalColumn]
    label: CategoricalColumn | None
    readable: Mask
    faults: CategoricalColumn

    def having(self, fault: str) -> Mask:
        """Return which rows have a fault, shape (rows,).

        Args:
            fault: Its code.
        """
        has = [fault in split(text) for text in self.faults.names]
        if not any(has):
            return np.zeros(len(self.faults.codes), dtype=bool)
        return np.array([*has, False])[self.faults.codes]  # code -1 finds the last


@dataclass(frozen=True)
class Answers(Identity):
    """The answers of an index to a spec, one entry per row in each array.

    Attributes:
        population: Whether the row is in the population.
        rules: What each rule evaluates to.
        strata: The values of each field by which the sample is stratified.
    """

    population: Verdict
    rules: tuple[Verdict, ...]
    strata: tuple[CategoricalColumn, ...] = ()
