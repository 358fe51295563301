"""Which column contains the class, and which units columns have: named by the user, or found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_LABEL_COLUMNS = ("label", "diagnosis", "class")


def label_column(asked: str | None, columns: Collection[str], *, of_tables: Iterable[str]) -> str | None:
    """Return the column that contains the class: the one asked for, or the only one with a label's name.

    Args:
        asked: The column that the user named; null if none.
        columns: All columns of the index.
        of_tables: Those that come from tables; only they are considered if the user named none.

    Raises:
        IndexReadError: The index has no column that the user named.
    """
    if asked is None:
        found = [name for name in of_tables if name in _LABEL_COLUMNS]
        return found[0] if len(found) == 1 else None
    if asked not in columns:
        raise IndexReadError(f"--label {asked}: the index has no such column.{did_you_mean(asked, columns)}")
    return asked


def parse_units(given: Sequence[str]) -> dict[str, str]:
    """Parse each `COLUMN=UNIT` of a command line.

    Raises:
        IndexReadError: One does not have this form, has an unknown unit, or names a column again.
    """
    from monai_unlearn.vocabulary.units import known_unit

    units: dict[str, str] = {}
    for text in given:
        column, _, unit = (part.strip() for part in text.rpartition("="))
        if not column or not unit:
            raise IndexReadError(f"--unit {text}: expected COLUMN=UNIT, such as width=mm.")
        if column in units:
            raise IndexReadError(f"--unit {text}: the column '{column}' already has a unit.")
        try:
            units[column] = known_unit(unit)
        except ValueError as error:
            raise IndexReadError(f"--unit {text}: {error}. Write it in UCUM: mm, mm2, ml, deg, %, 1.") from None
    return units


def check_units(declared: Mapping[str, str], kinds: Mapping[str, Kind]) -> None:
    """Refuse a unit for a column that is not a table's column of numbers.

    Args:
        declared: The unit of each column for which the user declared one.
        kinds: The columns that come from tables, with their kinds.

    Raises:
        IndexReadError: No table has the column, or it does not contain numbers.
    """
    for column in declared:
        if column not in kinds:
            raise IndexReadError(f"--unit {column}=…: no table has this column.{did_you_mean(column, kinds)}")
        if kinds[column] is not Kind.NUMBER:
            raise IndexReadError(
                f"--unit {column}=…: expected a column of numbers, got one of kind {kinds[column].value}."
            )


def tag_units(columns: Collection[str]) -> dict[str, str]:
    """Return the units of those columns that are DICOM keywords with a unit."""
    return {keyword: unit for keyword, unit in vocabulary().units.items() if keyword in columns}
