"""Measures as columns: one unit for each, and no value if two measurements of an image contradict each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError
from monai_unlearn.vocabulary.units import factor, parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from monai_unlearn.index.measures.reading import Measure

# The relative difference that rounding may cause between two readings of the same measurement.
_SAME = 1e-9


@dataclass
class _Column:
    """A column that is being filled."""

    unit: str
    origins: dict[str, None] = field(default_factory=dict)
    numbers: dict[int, float] = field(default_factory=dict)
    conflicts: set[int] = field(default_factory=set)


class Columns:
    """Collects the measurements of rows; a column has the unit of its first measurement."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}

    def add(self, measure: Measure, rows: Iterable[int], origin: str) -> list[int]:
        """Add a measurement, and return the rows in which it contradicts another.

        Args:
            measure: What was measured.
            rows: The positions of the rows that were measured.
            origin: Where it comes from.

        Raises:
            IndexReadError: Its unit cannot be converted to that of its column.
        """
        column = self._columns.setdefault(measure.name, _Column(measure.unit))
        column.origins[origin] = None
        if measure.value is None:
            return []
        value = measure.value * _factor(measure, column.unit)
        differing = [
            row for row in rows if not math.isclose(column.numbers.setdefault(row, value), value, rel_tol=_SAME)
        ]
        column.conflicts.update(differing)
        return differing

    def frame(self, like: pd.DataFrame) -> pd.DataFrame:
        """Return the columns, sorted by name, for the rows of a frame; contradicted values are missing."""
        import pandas as pd

        return pd.DataFrame(
            {
                name: pd.array(
                    [None if row in column.conflicts else column.numbers.get(row) for row in range(len(like))],
                    dtype="Float64",
                )
                for name, column in sorted(self._columns.items())
            },
            index=like.index,
        )

    @property
    def units(self) -> dict[str, str]:
        """The unit of each column."""
        return {name: column.unit for name, column in sorted(self._columns.items())}

    @property
    def origins(self) -> dict[str, str]:
        """Where the values of each column come from."""
        return {name: ", ".join(column.origins) for name, column in sorted(self._columns.items())}


def _factor(measure: Measure, unit: str) -> float:
    if measure.unit == unit:
        return 1.0
    try:
        return factor(parse_unit(measure.unit), parse_unit(unit))
    except ValueError:
        raise IndexReadError(
            f"The measure '{measure.name}' is in {measure.unit} in one file and in {unit} in another, which cannot be "
            "converted. Leave one of the files out of --measures."
        ) from None
