"""The SQL statement that turns the rows of a table into rows of an index, faults included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.index.faults import SEPARATOR, Fault
from monai_unlearn.index.store.schema import BASE_COLUMNS
from monai_unlearn.index.tables.table_sql import cleaned, literal, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.index.tables.opened_table import SourceColumn
    from monai_unlearn.index.tables.table_columns import TableColumn

FORMAT = "table"


def identifier_sql(column: SourceColumn) -> str:
    """Return the SQL of the image identifiers in a column, without padding; null if empty."""
    return cleaned(f"CAST({quoted(column.name)} AS VARCHAR)")


def table_statement(columns: Sequence[TableColumn], identifier: SourceColumn) -> str:
    """Return the statement that selects the rows of the index: read, then typed, then checked for faults.

    Args:
        columns: The columns of the index, without its identifier.
        identifier: The column that identifies each image.
    """
    raw = [f"{identifier_sql(identifier)} AS image_id"]
    raw += [f"{column.raw()} AS raw_{number}" for number, column in enumerate(columns)]
    typed = ["*", *(f"{column.typed(f'raw_{number}')} AS typed_{number}" for number, column in enumerate(columns))]
    typed += [
        f"{column.partial(f'raw_{number}') or 'NULL'} AS partial_{number}" for number, column in enumerate(columns)
    ]
    last = ["image_id", f"{literal(FORMAT)} AS format", f"{_faults(columns)} AS faults", *_doubts(columns)]
    last += [f"typed_{number} AS {quoted(column.name)}" for number, column in enumerate(columns)]
    absent = set(BASE_COLUMNS) - {"image_id", "format", "fault", "faults", *DOUBTS}
    absent -= {column.name for column in columns}
    last += [f"NULL AS {quoted(name)}" for name in sorted(absent)]
    statement = f"SELECT {', '.join(raw)} FROM source"  # noqa: S608 - names are quoted, values literal
    gravest = ["*", f"split_part(faults, {literal(SEPARATOR)}, 1) AS fault"]
    for step in (typed, last, gravest):
        statement = f"SELECT {', '.join(step)} FROM ({statement})"  # noqa: S608
    return statement


def _faults(columns: Sequence[TableColumn]) -> str:
    """Return the SQL of the faults of each row's values, gravest first."""
    found = []
    for fault in Fault:
        checked = [number for number, column in enumerate(columns) if column.fault is fault]
        if checked:
            condition = " OR ".join(map(_is_invalid, checked))
            found.append(f"CASE WHEN {condition} THEN {literal(fault.code)} END")
    return _joined(found)


def _is_invalid(number: int) -> str:
    return f"raw_{number} IS NOT NULL AND typed_{number} IS NULL AND partial_{number} IS NULL"


def _doubts(columns: Sequence[TableColumn]) -> list[str]:
    """Return the SQL of the columns of `doubts.py`."""
    entries: dict[str, list[str]] = {name: [] for name in DOUBTS}
    for number, column in enumerate(columns):
        keyword = literal(column.keyword)
        if column.fault is not None:
            entries["invalid"].append(f"CASE WHEN {_is_invalid(number)} THEN {keyword} END")
        if column.partial("") is not None:
            entries["partial"].append(f"partial_{number}")
        condition = column.placeholder(f"raw_{number}")
        if condition is not None:
            entries["implausible"].append(f"CASE WHEN {condition} THEN {keyword} END")
    return [f"{_joined(found)} AS {name}" for name, found in entries.items()]


def _joined(entries: Sequence[str]) -> str:
    joined = ", ".join(entries)
    return f"nullif(concat_ws({literal(SEPARATOR)}, {joined}), '')" if entries else "CAST(NULL AS VARCHAR)"
