"""What a table is matched by: a column with unique values, and a field of the index."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.index.tables.read_table import SourceTable

FILE_NAME = "file_name"
FILE_STEM = "file_stem"
# Fields that derive from the path of a file.
OF_A_FILE = (FILE_NAME, FILE_STEM, "path")
# The tags that an index contains under a shorter name.
_RENAMED = {
    "SOPInstanceUID": "image_id",
    "PatientID": "patient",
    "StudyInstanceUID": "study",
    "SeriesInstanceUID": "series",
}
_UID = re.compile(r"[012](?:\.\d+){2,}")
_EXAMPLES = 5


@dataclass(frozen=True)
class Key:
    """How a table is matched.

    Attributes:
        table: The file.
        column: Its column that identifies the image.
        field: The field of the index that this column is matched with; null to choose it by the column's values.
    """

    table: Path
    column: str
    field: str | None = None

    @classmethod
    def parse(cls, table: Path, key: str) -> Key:
        """Parse `COLUMN[=FIELD]`.

        Raises:
            IndexReadError: The column or the field is empty.
        """
        column, equals, field = (part.strip() for part in key.partition("="))
        if not column or (equals and not field):
            raise IndexReadError(f"--key {key}: expected COLUMN or COLUMN=FIELD.")
        return cls(table, column, field or None)

    def field_for(self, values: Collection[str], kinds: Mapping[str, Kind]) -> str:
        """Return the field of the index that the column is matched with.

        Args:
            values: The values of the column.
            kinds: The columns of the index, with their kinds.

        Raises:
            IndexReadError: The index has no text field of the name that the user gave.
        """
        if self.field is None:
            return "image_id" if values and all(map(_UID.fullmatch, values)) else FILE_NAME
        field = _RENAMED.get(self.field, self.field)
        texts = [*OF_A_FILE, *(name for name, kind in kinds.items() if kind is Kind.TEXT)]
        if field not in texts:
            hint = did_you_mean(self.field, texts) if field not in kinds else " Only text can be matched."
            raise IndexReadError(f"--key {self.column}={self.field}: the index has no text field of that name.{hint}")
        return field

    def matches_files(self, table: SourceTable) -> bool:
        """Return whether the column of a table holds the names or paths of files."""
        if self.field is not None or self.column not in table.kinds:
            return self.field in OF_A_FILE
        return self.field_for(set(table.texts[self.column].drop_null().to_pylist()), {}) in OF_A_FILE

    def check_values(self, values: Sequence[str | None]) -> None:
        """Refuse a column in which a value occurs more than once.

        Raises:
            IndexReadError: It does.
        """
        counts = Counter(values)
        repeated = [row for row, text in enumerate(values) if text is not None and counts[text] > 1]
        if repeated:
            numbers = ", ".join(str(row + 1) for row in repeated[:_EXAMPLES])
            more = ", …" if len(repeated) > _EXAMPLES else ""
            raise IndexReadError(
                f"{self.table}: expected each key of column '{self.column}' once, "
                f"got {len(repeated)} rows that share one: rows {numbers}{more} (counted from 1 below the header)."
            )

    def columns_to_add(self, table: SourceTable, field: str, present: Mapping[str, Kind]) -> list[str]:
        """Return the columns of the table that become columns of the index.

        The key column is one of them if its name is free and it adds information. Names are compared without case, as
        in the query engine.

        Args:
            table: The table.
            field: The field of the index that it is matched with.
            present: The columns that the index already has.

        Raises:
            IndexReadError: A column has the name of a column of the index.
        """
        taken = {name.lower(): name for name in (*present, *_RENAMED, "relative")}
        columns = []
        for name in table.kinds:
            if name == self.column and (field == "image_id" or name.lower() in taken):
                continue
            if name.lower() in taken:
                raise IndexReadError(
                    f"{self.table}: the index already has a column named '{taken[name.lower()]}'. "
                    f"Rename the column '{name}' in the table."
                )
            taken[name.lower()] = name
            columns.append(name)
        return columns


def pair_keys(tables: Sequence[Path], keys: Sequence[str]) -> tuple[Key, ...]:
    """Pair the tables and keys of a command line, in their order.

    Raises:
        IndexReadError: Their numbers differ, or a key is not `COLUMN[=FIELD]`.
    """
    if len(tables) != len(keys):
        raise IndexReadError(
            f"Expected one --key for each --table, in the same order, got {len(tables)} --table and {len(keys)} --key."
        )
    return tuple(Key.parse(table, key) for table, key in zip(tables, keys, strict=True))
