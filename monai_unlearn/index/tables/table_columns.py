"""Which columns an index of a table has: their names, their kinds, and how DuckDB reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.tables.table_sql import (
    cleaned,
    finite,
    from_text,
    is_placeholder_age,
    partial_entry,
    quoted,
    several_entry,
    uid,
)
from monai_unlearn.index.values import INVALID, UIDS
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.index.tables.opened_table import SourceColumn

_IDENTITY = {"PatientID": "patient", "StudyInstanceUID": "study", "SeriesInstanceUID": "series"}
# Columns that only an index of files has; a table's column of such a name would be mistaken for one.
_RESERVED = ("image_id", "format", "patient_ids", "fault", "faults", *DOUBTS, "file_size", "file_mtime_ns")
# Columns of text, even if all values are numbers.
_TEXTS = ("path", "IssuerOfPatientID", "OtherPatientIDs")
_SQL = {Kind.TEXT: "VARCHAR", Kind.DATE: "DATE", Kind.DATETIME: "TIMESTAMP"}


@dataclass(frozen=True)
class TableColumn:
    """A column of the index of a table.

    Attributes:
        name: Its name in the index.
        keyword: The DICOM keyword that it is read as; its name if it is not read as one.
        kind: The kind of its values.
        source: The column of the table.
    """

    name: str
    keyword: str
    kind: Kind
    source: SourceColumn

    @property
    def is_text(self) -> bool:
        """Whether the table's values are read as text: also dates that look like numbers, such as 20180605."""
        is_number = self.source.kind is Kind.NUMBER
        return self.source.kind is Kind.TEXT or (is_number and self.kind in {Kind.DATE, Kind.DATETIME})

    @property
    def fault(self) -> Fault | None:
        """The fault of a row with an invalid value in this column; null if every value is valid."""
        if self.keyword in UIDS:
            return Fault.INVALID_UID
        return INVALID.get(self.kind) if self.is_text else None

    def typed(self, raw: str) -> str:
        """Return the SQL of its values, from the SQL of the table's values."""
        if self.keyword in UIDS:
            return uid(raw)
        if self.is_text:
            return from_text(self.kind, raw)
        if self.kind in {Kind.NUMBER, Kind.AGE}:
            return finite(raw)
        is_day = self.source.is_spelled and self.source.kind is Kind.DATE and self.kind is not Kind.TEXT
        return f"CAST({from_text(Kind.DATE, raw) if is_day else raw} AS {_SQL[self.kind]})"

    def raw(self) -> str:
        """Return the SQL of the table's values; text is without its padding."""
        found = quoted(self.source.name)
        if not self.is_text and self.kind is not Kind.TEXT and not self.source.is_spelled:
            return found
        text = f"CAST({found} AS VARCHAR)"
        is_number = self.source.kind is Kind.NUMBER and self.is_text
        return cleaned(f"regexp_replace({text}, '[.]0*$', '')" if is_number else text, self.source.kept)

    def partial(self, raw: str) -> str | None:
        """Return the SQL of its entry in the column `partial`; null for a column that cannot have shortened dates."""
        may_be = self.is_text and self.kind in {Kind.DATE, Kind.DATETIME}
        return partial_entry(self.keyword, self.kind, raw) if may_be else None

    def several(self, raw: str) -> str | None:
        """Return the SQL of its entry in the column `several_values`; null for a column of single values."""
        return several_entry(self.keyword, raw) if self.is_text and self.kind is Kind.NUMBER else None

    def placeholder(self, raw: str) -> str | None:
        """Return the condition that a value is a placeholder that its number does not show; null without such ones."""
        return is_placeholder_age(raw) if self.is_text and self.kind is Kind.AGE else None


def table_columns(
    table: Path, sources: Mapping[str, SourceColumn], *, id_column: str, rename: Mapping[str, str]
) -> list[TableColumn]:
    """Return the columns of the index of a table, without its identifier.

    Args:
        table: The file.
        sources: Its columns, by name.
        id_column: The column that identifies each image.
        rename: The new name of each column to rename, by the table's name.

    Raises:
        IndexReadError: A column to rename is missing, a name is repeated or reserved, or a column of dates has the
            name of a DICOM keyword for numbers.
    """
    for old in rename:
        if old not in sources:
            raise IndexReadError(
                f"--rename {rename[old]}={old}: the table has no column '{old}'.{did_you_mean(old, sources)}"
            )
    columns: dict[str, TableColumn] = {}
    for column in _named(table, sources, id_column, rename):
        key = column.name.lower()
        if key in columns or key in _RESERVED:
            raise IndexReadError(
                f"{table}: the column '{column.source.name}' would be a second '{column.name}' in the index, which "
                "does not distinguish upper and lower case. Rename it with --rename NEW=OLD."
            )
        columns[key] = column
    return list(columns.values())


def _named(
    table: Path, sources: Mapping[str, SourceColumn], id_column: str, rename: Mapping[str, str]
) -> Iterator[TableColumn]:
    known = vocabulary().dicom
    for name, source in sources.items():
        keyword = rename.get(name, name)
        role = _IDENTITY.get(keyword)
        if name == id_column and role is None:
            continue
        is_text = role is not None or keyword in {*_IDENTITY.values(), *_TEXTS}
        kind = Kind.TEXT if is_text else known.get(keyword, source.kind)
        if source.kind in {Kind.DATE, Kind.DATETIME} and kind in {Kind.NUMBER, Kind.AGE}:
            raise IndexReadError(
                f"{table}: the column '{name}' contains dates, but {keyword} is a number. "
                "Rename the column with --rename NEW=OLD."
            )
        yield TableColumn(role or keyword, keyword, kind, source)
