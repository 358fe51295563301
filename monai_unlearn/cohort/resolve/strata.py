"""Strata: what a sample is shared over, and what came of it in each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.cohort.language.located import Located
from monai_unlearn.cohort.language.source import Span
from monai_unlearn.cohort.language.term import Field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from monai_unlearn.cohort.language.located import Path
    from monai_unlearn.cohort.language.source import Document
    from monai_unlearn.cohort.spec.spec import CohortSpec

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Strata:
    """What a sample drew from its strata: counts alone.

    Attributes:
        count: How many strata there are.
        empty: Of how many of them the sample drew no unit.
        least_share: The smallest share of its units that was drawn of a stratum, in [0, 1].
        largest_share: The largest such share, in [0, 1].
        images_without_value: How many of the images drawn from lack a value of at least one of the fields.
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
            values: For each field the number of each image's value, -1 where there is none, shape (images,).
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
    """Return the stratum of every unit: a missing value is a value of its own here.

    A unit of several rows, such as a patient with two diagnoses, is of the stratum of those units whose rows
    have the same combinations of values.

    Args:
        unit: The unit of each row, numbered from 0 without a gap, shape (rows,).
        values: For each field the number of each row's value, -1 where there is none, shape (rows,).

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


def fields_of(spec: CohortSpec) -> tuple[Field, ...]:
    """Return the fields that a spec's sample is stratified by, each with its place in the spec's file."""
    names = spec.sample.stratify if spec.sample is not None and spec.sample.stratify is not None else ()
    document = _file_of(spec) if names else None
    if document is None:
        return tuple(Field(name) for name in names)
    return tuple(_located(Located.read(document.text, document.name), names))


def _file_of(spec: CohortSpec) -> Document | None:
    """Return the file of a spec, which its predicates know; one made without a file has none."""
    for node in spec.forget.walk():
        if isinstance(node, Field) and node.at is not None and node.at.source.text != node.at.source.document.text:
            return node.at.source.document
    return None


def _located(file: Located, names: Sequence[str]) -> Iterator[Field]:
    key: Path = ("sample", "stratify")
    written: Any = file.content["sample"]["stratify"]
    for number, name in enumerate(names):
        source = file.source(key if isinstance(written, str) else (*key, number), name)
        yield Field(name, at=Span(source, 0, len(name)))
