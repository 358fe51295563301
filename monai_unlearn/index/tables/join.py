"""Joining tables to images: the rows of a table are matched by their exact keys, never approximately."""

from __future__ import annotations

from array import array
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.listing import SUFFIX
from monai_unlearn.index.tables.key import FILE_NAME, OF_A_FILE, Key
from monai_unlearn.index.tables.read_table import SourceTable, read_table
from monai_unlearn.index.usable import usable_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.vocabulary.fields import Kind

_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class Match:
    """How the rows of a table matched the images.

    `unmatched_row_numbers` are the first of the rows without an image, counted from 1 below the header.
    `read_as_missing` has, for each column that came into the index, in how many rows a word such as NULL became null,
    and `words_read_as_missing` each of these words.
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
    read_as_missing: Mapping[str, int]
    words_read_as_missing: Mapping[str, Mapping[str, int]]

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return asdict(self)


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
        IndexReadError: A table cannot be read; a column, field or key is unknown, repeated, or collides with another.
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
            self.kinds.update({name: join.table.kinds[name] for name in join.added})
            self.origins.update(dict.fromkeys(join.added, f"table:{key.table.name}"))

    def add(self, rows: pa.Table, text_of: str | None = None) -> tuple[pa.Table, pa.Array | pa.ChunkedArray | None]:
        """Return the rows with the columns of every table, and one of these columns as its table spells it.

        Args:
            rows: Rows with `relative`; they follow those of the last call.
            text_of: A column of a table.
        """
        texts = None
        for join in self._joins:
            positions = join.positions(rows)
            for name in join.added:
                rows = rows.append_column(name, join.table.typed[name].take(positions))
            if text_of in join.added:
                texts = join.table.texts[text_of].take(positions)
        return rows, texts

    def matches(self) -> tuple[Match, ...]:
        """Return how each table matched the images, once all rows were added.

        Raises:
            IndexReadError: No row of a table belongs to an image, or images share a name that the table is matched by.
        """
        return tuple(join.match() for join in self._joins)


class _Join:
    """One table, matched with rows batch by batch."""

    def __init__(self, key: Key, table: SourceTable, kinds: Mapping[str, Kind]) -> None:
        self.key = key
        self.table = table
        if key.column not in self.table.kinds:
            hint = did_you_mean(key.column, self.table.kinds)
            raise IndexReadError(f"{key.table}: the table has no column '{key.column}'.{hint} Change it in --key.")
        keys: list[str | None] = self.table.texts[key.column].to_pylist()
        key.check_values(keys)
        self._rows = {text: row for row, text in enumerate(keys) if text is not None}
        self._is_absolute = any(text.startswith("/") for text in self._rows)
        self.field = key.field_for(self._rows, kinds)
        self.added = key.columns_to_add(self.table, self.field, kinds)
        self._matched = bytearray(len(keys))
        self._images = array("q", bytes(8 * len(keys)))  # the number of usable images of each row of the table
        self._first: dict[int, str] = {}
        self._with_row = self._without_row = 0

    def positions(self, rows: pa.Table) -> pa.Array:
        """Return which row of the table belongs to each row, and count the matches."""
        find = self._rows.get
        found = [None if value is None else find(value) for value in self._values(rows)]
        by_name = self.field in OF_A_FILE
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
        """Return for each row the value of the field that the key is matched with."""
        if self.field not in OF_A_FILE:
            values: list[str | None] = rows[self.field].to_pylist()
            return values
        if self.field == "path":
            paths: list[str | None] = rows["path" if self._is_absolute else "relative"].to_pylist()
            return paths
        names = (path.rpartition("/")[2] for path in rows["path"].to_pylist())
        return names if self.field == FILE_NAME else (SUFFIX.sub("", name) for name in names)

    def match(self) -> Match:
        """Return how the table matched the images."""
        self._refuse_shared_names()
        if not any(self._matched):
            raise IndexReadError(
                f"{self.key.table}: none of the {len(self._matched)} keys of column '{self.key.column}' is the "
                f"{self.field} of an image. "
                f"Name what it matches with --key {self.key.column}=FIELD: {', '.join(OF_A_FILE)}, patient, …"
            )
        unmatched = [row for row, is_matched in enumerate(self._matched) if not is_matched]
        words = {name: words for name, words in self.table.missing.items() if name in self.added}
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
            read_as_missing={name: sum(counts.values()) for name, counts in words.items()},
            words_read_as_missing=words,
        )

    def _refuse_shared_names(self) -> None:
        shared = [row for row in self._first if self._images[row] > 1]
        if shared:
            raise IndexReadError(
                f"{sum(self._images[row] for row in shared)} images share their {self.field} with another, the first "
                f"is {self._first[shared[0]]}; so a row of the table may belong to any of them. "
                "Match by the path within the source: --key COLUMN=path."
            )
