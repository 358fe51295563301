"""Reading a table that is joined to images: CSV or Parquet, with types that lose no information."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.schema import arrow_type
from monai_unlearn.index.tables.csv_rows import csv_rows
from monai_unlearn.index.tables.delimiter import delimiter_of
from monai_unlearn.index.tables.kept_words import KeptWords
from monai_unlearn.index.tables.spellings import MISSING, MISSING_WORD, day_of, is_day, is_missing
from monai_unlearn.index.values import LARGEST_EXACT_WHOLE
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

PARQUET = (".parquet", ".pq")

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_NOTHING_KEPT = KeptWords()


@dataclass(frozen=True)
class SourceTable:
    """A table in memory.

    Attributes:
        path: The file.
        kinds: The kind of each column.
        typed: The columns with the types of their kinds.
        texts: The same columns as text, as the table spells them, for matching.
        missing: In how many rows a column has each word for a missing value, such as NULL, which is null here.
    """

    path: Path
    kinds: Mapping[str, Kind]
    typed: pa.Table
    texts: pa.Table
    missing: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def read_table(path: Path, *, delimiter: str | None = None, kept: KeptWords = _NOTHING_KEPT) -> SourceTable:
    """Read a table: Parquet if its suffix says so, tab-separated for `.tsv`, otherwise CSV in UTF-8.

    A column of a CSV contains dates if every value is a day, numbers if every value is a number and none has a leading
    zero, which a number would lose; otherwise text. Empty entries and words for a missing value are null; see
    `spellings.py`.

    Args:
        path: The file.
        delimiter: What separates the values of a CSV; null for what its suffix says.
        kept: The words for a missing value that are values.

    Raises:
        IndexReadError: The file is missing, malformed or empty, repeats a column name, has nested columns, or has
            another delimiter.
    """
    try:
        table = _read_parquet(path, kept) if path.suffix.lower() in PARQUET else _read_csv(path, delimiter, kept)
    except FileNotFoundError:
        raise IndexReadError(f"{path}: this table is missing. Give a CSV or Parquet file with --table.") from None
    except OSError as error:
        raise IndexReadError(f"{path}: this table cannot be read ({error.strerror or 'I/O error'}).") from None
    if table.typed.num_rows == 0:
        raise IndexReadError(f"{path}: expected a table with a header and rows, got no rows.")
    return table


def _read_csv(path: Path, delimiter: str | None, kept: KeptWords) -> SourceTable:
    rows = csv_rows(path, delimiter_of(path, delimiter))
    header = next(rows, None)
    if header is None:
        raise IndexReadError(f"{path}: expected a table with a header and rows, got an empty file.")
    names = column_names(path, header)
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    stripped = {name: [cell.strip() for cell in cells] for name, cells in zip(names, columns, strict=True)}
    missing = {name: _words(cells, kept.of(name)) for name, cells in stripped.items()}
    texts = {
        name: [None if cell in missing[name] or not cell else cell for cell in cells]
        for name, cells in stripped.items()
    }
    kinds = {name: _kind(spelled) for name, spelled in texts.items()}
    return SourceTable(
        path=path,
        kinds=kinds,
        typed=pa.table({name: _parse(spelled, kinds[name]) for name, spelled in texts.items()}),
        texts=pa.table({name: pa.array(spelled, pa.string()) for name, spelled in texts.items()}),
        missing={name: words for name, words in missing.items() if words},
    )


def _words(cells: Iterable[str], kept: frozenset[str]) -> dict[str, int]:
    """Return in how many cells each word for a missing value is, but for those that are kept; most frequent first."""
    return dict(Counter(cell for cell in cells if cell and is_missing(cell) and cell.lower() not in kept).most_common())


def column_names(path: Path, header: Sequence[str]) -> list[str]:
    """Return the names of the columns; one without a name, such as saved row numbers, is named by its position.

    Raises:
        IndexReadError: A name is repeated.
    """
    names = [name.strip() or f"unnamed_{position}" for position, name in enumerate(header, start=1)]
    for name in names:
        if names.count(name) > 1:
            raise IndexReadError(f"{path}: the header repeats the column '{name}'. Rename one of them.")
    return names


def _kind(spelled: Sequence[str | None]) -> Kind:
    present = [cell for cell in spelled if cell is not None]
    if present and all(map(is_day, present)):
        return Kind.DATE
    return Kind.NUMBER if present and all(map(_is_number, present)) else Kind.TEXT


def _is_number(cell: str) -> bool:
    if not _NUMBER.fullmatch(cell) or _LEADING_ZERO.match(cell):
        return False
    value = float(cell)
    return math.isfinite(value) and (abs(value) <= LARGEST_EXACT_WHOLE or not value.is_integer() or "e" in cell.lower())


def _parse(spelled: Sequence[str | None], kind: Kind) -> pa.Array:
    parsers: Mapping[Kind, Callable[[str], object]] = {Kind.NUMBER: float, Kind.DATE: day_of}
    parse = parsers.get(kind, str)
    return pa.array([None if cell is None else parse(cell) for cell in spelled], arrow_type(kind))


def _read_parquet(path: Path, kept: KeptWords) -> SourceTable:
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid:
        raise IndexReadError(f"{path}: expected a Parquet file, got other content.") from None
    names = column_names(path, table.column_names)
    columns = {name: _flat(path, name, table.column(position)) for position, name in enumerate(names)}
    kinds = {name: _arrow_kind(column) for name, column in columns.items()}
    missing = {name: _words_of(column, kept.of(name)) for name, column in columns.items() if kinds[name] is Kind.TEXT}
    return SourceTable(
        path=path,
        kinds=kinds,
        typed=pa.table({name: _cast(column, kinds[name], kept.of(name)) for name, column in columns.items()}),
        texts=pa.table({name: _cast(column, Kind.TEXT, kept.of(name)) for name, column in columns.items()}),
        missing={name: words for name, words in missing.items() if words},
    )


def _words_of(column: pa.ChunkedArray, kept: frozenset[str]) -> dict[str, int]:
    trimmed = pc.utf8_trim_whitespace(column.cast(pa.string()))
    may_be = trimmed.filter(pc.match_substring_regex(trimmed, f"^{MISSING_WORD}$"))
    return _words(may_be.to_pylist(), kept)


def _flat(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        raise IndexReadError(
            f"{path}: the column '{name}' has the type {column.type}, which an index cannot store. "
            "Leave it out of the table."
        )
    return column


def _arrow_kind(column: pa.ChunkedArray) -> Kind:
    if pa.types.is_date(column.type):
        return Kind.DATE
    if pa.types.is_timestamp(column.type):
        return Kind.DATETIME
    if pa.types.is_integer(column.type):
        largest = pc.max(pc.abs_checked(column.cast(pa.float64(), safe=False))).as_py() or 0
        return Kind.NUMBER if largest <= LARGEST_EXACT_WHOLE else Kind.TEXT
    is_number = pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    return Kind.NUMBER if is_number else Kind.TEXT


def _cast(column: pa.ChunkedArray, kind: Kind, kept: frozenset[str]) -> pa.ChunkedArray:
    if kind is Kind.NUMBER:
        numbers = column.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_finite(numbers), numbers, None)
    if kind is not Kind.TEXT:
        return column.cast(arrow_type(kind), safe=False)
    trimmed = pc.utf8_trim_whitespace(column.cast(pa.string()))
    is_missing_text = pc.match_substring_regex(trimmed, f"^{MISSING}$")
    if kept:
        is_kept = pc.is_in(pc.utf8_lower(trimmed), pa.array(sorted(kept), pa.string()))
        is_missing_text = pc.and_(is_missing_text, pc.invert(is_kept))
    return pc.if_else(is_missing_text, None, trimmed)
