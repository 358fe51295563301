"""Which rows of an index count as images: those without a fault, and those whose fault leaves the pixels intact.

This is the only place that decides it, in the form that each caller needs. A row that does not count is never part of
a cohort.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from monai_unlearn.index.faults import split, usable_faults

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# pyarrow is imported when it is used: specs are checked without it.


def is_usable(code: str | None) -> bool:
    """Return whether a row with this fault counts as an image.

    Args:
        code: The code of the row's fault; null if it has none.
    """
    return code in _usable_codes()


def counted_faults(faults: str) -> list[str]:
    r"""Return which faults of a row reports count, gravest first: notes say of images that they count all the same.

    A row that does not count as an image has no notes, only what is wrong with it.

    Args:
        faults: A value of the column `faults`.

    >>> counted_faults("missing_patient_id\\implausible_age"), counted_faults("derived_object\\implausible_age")
    (['missing_patient_id', 'implausible_age'], ['derived_object'])
    """
    codes = split(faults)
    return codes if all(map(is_usable, codes)) else [code for code in codes if not is_usable(code)]


def usable_mask(frame: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows of a frame count as images, by its column `fault`."""
    return frame["fault"].isna() | frame["fault"].isin(usable_faults())


def usable_array(faults: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which rows count as images, as Arrow Booleans without nulls.

    Args:
        faults: The column `fault`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.or_(pc.is_null(faults), pc.is_in(faults, pa.array(usable_faults(), pa.string())))


def usable_sql() -> tuple[str, tuple[str, ...]]:
    """Return a condition on the column `fault` that is true for rows that count as images, and its parameters."""
    codes = usable_faults()
    return f'("fault" IS NULL OR "fault" IN ({", ".join("?" * len(codes))}))', codes


@cache
def _usable_codes() -> frozenset[str | None]:
    return frozenset((None, *usable_faults()))
