"""Joining tables to images: which row belongs to which image, said exactly, and nothing guessed."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.listing import SUFFIX
from monai_unlearn.index.tables.tables import SourceTable, read_table
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

FILE_NAME = "file_name"
FILE_STEM = "file_stem"
_OF_A_FILE = (FILE_NAME, FILE_STEM, "path")
# The tags that an index keeps under a shorter name.
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
    """How a table is matched: its `column` with the index's `field` (found by its values where null)."""

    table: Path
    column: str
    field: str | None = None

    @classmethod
    def parse(cls, table: Path, key: str) -> Key:
        """Read `COLUMN[=FIELD]`.

        Raises:
            IndexReadError: The column or the field is empty.
        """
        column, equals, field = (part.strip() for part in key.partition("="))
        if not column or (equals and not field):
            raise IndexReadError(f"--key {key}: expected COLUMN or COLUMN=FIELD.")
        return cls(table, column, field or None)


@dataclass(frozen=True, kw_only=True)
class Match:
    """How a table's rows met the images.

    `unmatched_row_numbers` are the first of the rows that no image has, counted from 1 below the header.
    """

    file: str
    key: str
    field: str
    rows: int
    matched_rows: int
    unmatched_rows: int
    unmatched_row_numbers: tuple[int, ...]
    images_with_row: int
    images_without_row: int

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def pair_keys(tables: Sequence[Path], keys: Sequence[str]) -> tuple[Key, ...]:
    """Pair the tables and keys of a command line, in their order.

    Raises:
        IndexReadError: There are more of one than of the other, or a key is not `COLUMN[=FIELD]`.
    """
    if len(tables) != len(keys):
        raise IndexReadError(
            f"Expected one --key for each --table, in the same order, got {len(tables)} --table and {len(keys)} --key."
        )
    return tuple(Key.parse(table, key) for table, key in zip(tables, keys, strict=True))


class Joiner:
    """Adds the columns of tables to rows of an index, batch by batch.

    Attributes:
        kinds: The kind of each column that comes from a table.
        origins: The table that each of them comes from.

    Args:
        keys: The tables.
        kinds: The kinds of the index's own columns.
        tables: Reads a table.

    Raises:
        IndexReadError: A table cannot be read; a column, field or key is unknown, stands twice, or collides.
    """

    def __init__(
        self, keys: Sequence[Key], kinds: Mapping[str, Kind], *, tables: Callable[[Path], SourceTable] = read_table
    ) -> None:
        self.kinds: dict[str, Kind] = {}
        self.origins: dict[str, str] = {}
        self._joins: list[_Join] = []
        for key in keys:
            join = _Join(key, tables(key.table), {**kinds, **self.kinds})
            self._joins.append(join)
            self.kinds.update({name: join.table.kinds[name] for name in join.taken})
            self.origins.update(dict.fromkeys(join.taken, f"table:{key.table.name}"))

    def add(self, rows: pa.Table, text_of: str | None = None) -> tuple[pa.Table, pa.Array | pa.ChunkedArray | None]:
        """Return rows with the columns of every table, and one of these as its table spells it.

        Args:
            rows: Rows with `relative`, which come behind those of the last call.
            text_of: A column of a table.
        """
        texts = None
        for join in self._joins:
            positions = join.positions(rows)
            for name in join.taken:
                rows = rows.append_column(name, join.table.typed[name].take(positions))
            if text_of in join.taken:
                texts = join.table.texts[text_of].take(positions)
        return rows, texts

    def matches(self) -> tuple[Match, ...]:
        """Return how each table met the images, once all rows were added.

        Raises:
            IndexReadError: No row of a table belongs to an image, or two images share a name that it matches by.
        """
        return tuple(join.match() for join in self._joins)


class _Join:
    """One table, matched with rows batch by batch."""

    def __init__(self, key: Key, table: SourceTable, kinds: Mapping[str, Kind]) -> None:
        self.key = key
        self.table = table
        if key.column not in self.table.kinds:
            hint = did_you_mean(key.column, self.table.kinds)
            raise IndexReadError(f"{key.table}: the table has no column '{key.column}'.{hint} It is named by --key.")
        keys: list[str | None] = self.table.texts[key.column].to_pylist()
        _refuse_repeated_keys(key, keys)
        self._rows = {text: row for row, text in enumerate(keys) if text is not None}
        self._is_absolute = any(text.startswith("/") for text in self._rows)
        self.field = _field(key, self._rows, kinds)
        self.taken = _columns_taken(self.table, key, self.field, kinds)
        self._matched = bytearray(len(keys))
        self._images = array("q", bytes(8 * len(keys)))  # usable images of each row of the table
        self._first: dict[int, str] = {}
        self._with_row = self._without_row = 0

    def positions(self, rows: pa.Table) -> pa.Array:
        """Return which row of the table each row has, and count."""
        find = self._rows.get
        found = [None if value is None else find(value) for value in self._values(rows)]
        by_name = self.field in _OF_A_FILE
        for at, (row, is_image) in enumerate(zip(found, usable_array(rows["fault"]).to_pylist(), strict=True)):
            if row is not None:
                self._matched[row] = True
                self._images[row] += is_image
                self._with_row += is_image
                if by_name and is_image and row not in self._first:
                    self._first[row] = rows["path"][at].as_py()
            else:
                self._without_row += is_image
        return pa.array(found, pa.int64())

    def _values(self, rows: pa.Table) -> Iterable[str | None]:
        """Return each row's value of the field that the key is matched with."""
        if self.field not in _OF_A_FILE:
            values: list[str | None] = rows[self.field].to_pylist()
            return values
        if self.field == "path":
            paths: list[str | None] = rows["path" if self._is_absolute else "relative"].to_pylist()
            return paths
        names = (path.rpartition("/")[2] for path in rows["path"].to_pylist())
        return names if self.field == FILE_NAME else (SUFFIX.sub("", name) for name in names)

    def match(self) -> Match:
        """Return how the table met the images."""
        self._refuse_shared_names()
        if not any(self._matched):
            raise IndexReadError(
                f"{self.key.table}: none of the {len(self._matched)} keys of column '{self.key.column}' is the "
                f"{self.field} of an image. "
                f"Name what it matches with --key {self.key.column}=FIELD: {', '.join(_OF_A_FILE)}, patient, …"
            )
        unmatched = [row for row, is_matched in enumerate(self._matched) if not is_matched]
        return Match(
            file=str(self.key.table),
            key=self.key.column,
            field=self.field,
            rows=len(self._matched),
            matched_rows=len(self._matched) - len(unmatched),
            unmatched_rows=len(unmatched),
            unmatched_row_numbers=tuple(row + 1 for row in unmatched[:_EXAMPLES]),
            images_with_row=self._with_row,
            images_without_row=self._without_row,
        )

    def _refuse_shared_names(self) -> None:
        shared = [row for row in self._first if self._images[row] > 1]
        if shared:
            raise IndexReadError(
                f"{sum(self._images[row] for row in shared)} images share their {self.field} with another, the first "
                f"is {self._first[shared[0]]}; so the table's rows may belong to any of them. "
                "Match by the path within the source: --key COLUMN=path."
            )


def _refuse_repeated_keys(key: Key, keys: Sequence[str | None]) -> None:
    counts = Counter(keys)
    twice = [row for row, text in enumerate(keys) if text is not None and counts[text] > 1]
    if twice:
        numbers = ", ".join(str(row + 1) for row in twice[:_EXAMPLES])
        more = ", …" if len(twice) > _EXAMPLES else ""
        raise IndexReadError(
            f"{key.table}: expected each key of column '{key.column}' once, "
            f"got {len(twice)} rows that share one: rows {numbers}{more} (counted from 1 below the header)."
        )


def _field(key: Key, keys: Collection[str], kinds: Mapping[str, Kind]) -> str:
    """Return which field of the index the key is matched with."""
    if key.field is None:
        return "image_id" if keys and all(map(_UID.fullmatch, keys)) else FILE_NAME
    field = _RENAMED.get(key.field, key.field)
    texts = [*_OF_A_FILE, *(name for name, kind in kinds.items() if kind is Kind.TEXT)]
    if field not in texts:
        hint = did_you_mean(key.field, texts) if field not in kinds else " Only text can be matched."
        raise IndexReadError(f"--key {key.column}={key.field}: the index has no text field of that name.{hint}")
    return field


def _columns_taken(table: SourceTable, key: Key, field: str, present: Mapping[str, Kind]) -> list[str]:
    """Return which columns of the table become columns of the index.

    The key does where its name is free and it says something new. Names are compared without case, as the
    query engine does.
    """
    taken_names = {name.lower(): name for name in (*present, *_RENAMED, "relative")}
    columns = []
    for name in table.kinds:
        if name == key.column and (field == "image_id" or name.lower() in taken_names):
            continue
        if name.lower() in taken_names:
            raise IndexReadError(
                f"{key.table}: the column '{name}' has the name of a column that the index has already "
                f"('{taken_names[name.lower()]}'). Rename it in the table."
            )
        taken_names[name.lower()] = name
        columns.append(name)
    return columns
