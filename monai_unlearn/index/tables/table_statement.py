"""The SQL statement that turns the rows of a table into rows of an index, faults included."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    last = ["image_id", f"{literal(FORMAT)} AS format", f"{_faults(columns)} AS faults"]
    last += [f"typed_{number} AS {quoted(column.name)}" for number, column in enumerate(columns)]
    absent = set(BASE_COLUMNS) - {"image_id", "format", "fault", "faults"} - {column.name for column in columns}
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
            condition = " OR ".join(f"raw_{number} IS NOT NULL AND typed_{number} IS NULL" for number in checked)
            found.append(f"CASE WHEN {condition} THEN {literal(fault.code)} END")
    return f"nullif(concat_ws({literal(SEPARATOR)}, {', '.join(found)}), '')" if found else "CAST(NULL AS VARCHAR)"
