"""The SQL statement that turns the rows of a table into rows of an index, faults included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.faults import Fault
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
    last = ["image_id", f"{literal(FORMAT)} AS format", f"{_fault(columns)} AS fault"]
    last += [f"typed_{number} AS {quoted(column.name)}" for number, column in enumerate(columns)]
    absent = set(BASE_COLUMNS) - {"image_id", "format", "fault"} - {column.name for column in columns}
    last += [f"NULL AS {quoted(name)}" for name in sorted(absent)]
    statement = f"SELECT {', '.join(raw)} FROM source"  # noqa: S608 - names are quoted, values literal
    for step in (typed, last):
        statement = f"SELECT {', '.join(step)} FROM ({statement})"  # noqa: S608
    return statement


def _fault(columns: Sequence[TableColumn]) -> str:
    """Return the SQL of the most serious fault of each row.

    A row without a patient has a fault only if the table has a column of patients; see `index/patients.py`.
    """
    cases = [
        (Fault.MISSING_PATIENT_ID, f"typed_{number} IS NULL")
        for number, column in enumerate(columns)
        if column.name == "patient"
    ]
    for fault in (Fault.INVALID_UID, Fault.INVALID_DATE, Fault.INVALID_AGE, Fault.INVALID_NUMBER):
        checked = [number for number, column in enumerate(columns) if column.fault is fault]
        cases += [(fault, f"raw_{number} IS NOT NULL AND typed_{number} IS NULL") for number in checked]
    whens = " ".join(f"WHEN {condition} THEN {literal(fault.code)}" for fault, condition in cases)
    return f"CASE {whens} END" if whens else "CAST(NULL AS VARCHAR)"
