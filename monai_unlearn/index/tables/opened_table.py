"""A CSV or Parquet file opened in DuckDB as the view `source`, with the kind of each column."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.tables.csv_rows import csv_rows
from monai_unlearn.index.tables.delimiter import delimiter_of
from monai_unlearn.index.tables.kept_words import KeptWords
from monai_unlearn.index.tables.read_table import PARQUET, column_names
from monai_unlearn.index.tables.table_sql import cleaned, is_day, is_number, literal, quoted
from monai_unlearn.index.values import LARGEST_EXACT_WHOLE
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "FLOAT", "DOUBLE", "DECIMAL")
# These may be larger than a float can hold exactly.
_LARGE_NUMBERS = ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT")
_TEXTS = ("VARCHAR", "ENUM", "UUID", "BOOLEAN", "TIME")
_NOTHING_KEPT = KeptWords()


@dataclass(frozen=True)
class SourceColumn:
    """A column of the view `source`.

    Attributes:
        name: Its name.
        kind: The kind of its values.
        is_spelled: Whether they are stored as texts, as all values of a CSV are.
        kept: The words for a missing value that are values of it, in lower case.
    """

    name: str
    kind: Kind
    is_spelled: bool = False
    kept: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OpenedTable:
    """A table, open.

    Attributes:
        connection: The connection with the view `source`.
        columns: Its columns by name.
    """

    connection: duckdb.DuckDBPyConnection
    columns: Mapping[str, SourceColumn]


@contextmanager
def opened_table(path: Path, *, delimiter: str | None = None, kept: KeptWords = _NOTHING_KEPT) -> Iterator[OpenedTable]:
    """Open a table: Parquet if its suffix says so, tab-separated for `.tsv`, otherwise CSV in UTF-8.

    A column of a CSV contains dates or numbers if all its values are such (see `spellings.py`); otherwise it is text.

    Args:
        path: The file.
        delimiter: What separates the values of a CSV; null for what its suffix says.
        kept: The words for a missing value that are values.

    Raises:
        IndexReadError: The file is missing or malformed, repeats a column name (ignoring case), has nested columns, or
            has another delimiter.
    """
    if not path.is_file():
        raise IndexReadError(f"{path}: this table is missing. Give a CSV or Parquet file.")
    with duckdb.connect(":memory:") as connection:
        try:
            is_parquet = path.suffix.lower() in PARQUET
            columns = _open_parquet(connection, path) if is_parquet else _open_csv(connection, path, delimiter, kept)
            columns = [replace(column, kept=kept.of(column.name)) for column in columns]
            yield OpenedTable(connection, {column.name: column for column in columns})
        except duckdb.Error as error:
            raise _translated(path, error, delimiter) from None
        except OSError as error:
            raise IndexReadError(f"{path}: this table cannot be read ({error.strerror or 'I/O error'}).") from None


def _translated(path: Path, error: duckdb.Error, delimiter: str | None) -> IndexReadError:
    """Replace DuckDB's message, which quotes the line, and thereby a patient."""
    is_parquet = path.suffix.lower() in PARQUET
    if not is_parquet:
        try:
            for _ in csv_rows(path, delimiter_of(path, delimiter)):
                pass
        except IndexReadError as found:
            return found
    kind = "Parquet file" if is_parquet else "CSV in UTF-8, with as many values in each line as in its header"
    return IndexReadError(f"{path}: expected a well-formed {kind}, got other content ({type(error).__name__}).")


def _open_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> list[SourceColumn]:
    connection.execute(f"CREATE VIEW source AS SELECT * FROM read_parquet({literal(str(path))})")  # noqa: S608
    _refuse_same_names(path, pq.read_schema(path).names)
    described = [(str(name), str(type_)) for name, type_, *_ in connection.execute("DESCRIBE source").fetchall()]
    return [SourceColumn(name, _kind(connection, path, name, type_)) for name, type_ in described]


def _kind(connection: duckdb.DuckDBPyConnection, path: Path, name: str, type_: str) -> Kind:
    base = type_.partition("(")[0]
    if type_.endswith("]") or base in {"STRUCT", "MAP", "UNION", "BLOB", "BIT", "INTERVAL"}:
        raise IndexReadError(
            f"{path}: the column '{name}' has the type {type_}, which an index cannot store. Leave it out of the table."
        )
    if base == "DATE":
        return Kind.DATE
    if base.startswith("TIMESTAMP"):
        return Kind.DATETIME
    if base in _LARGE_NUMBERS:
        extremes = f"SELECT max({quoted(name)}), min({quoted(name)}) FROM source"  # noqa: S608 - quoted
        found = [value for value in connection.execute(extremes).fetchall()[0] if value is not None]
        return Kind.NUMBER if all(abs(value) <= LARGEST_EXACT_WHOLE for value in found) else Kind.TEXT
    return Kind.NUMBER if base in _NUMBERS else Kind.TEXT


def _open_csv(
    connection: duckdb.DuckDBPyConnection, path: Path, given: str | None, kept: KeptWords
) -> list[SourceColumn]:
    delimiter = delimiter_of(path, given)
    names = _header(path, delimiter)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = f"delim={literal(delimiter)}, quote='\"', escape='\"', header=true, auto_detect=false"
    connection.execute(
        f"CREATE TABLE source AS SELECT * FROM read_csv({literal(str(path))}, {options}, "  # noqa: S608 - literal
        f"columns={{{columns}}}, encoding='utf-8')"
    )
    tests = []
    for name in names:
        text = cleaned(quoted(name), kept.of(name))
        tests += [f"bool_and({is_number(text)} OR {text} IS NULL)", f"bool_and({is_day(text)} OR {text} IS NULL)"]
        tests.append(f"count({text}) > 0")
    (found,) = connection.execute(f"SELECT {', '.join(tests)} FROM source").fetchall()  # noqa: S608
    return [
        SourceColumn(name, _inferred(*found[3 * at : 3 * at + 3]), is_spelled=True) for at, name in enumerate(names)
    ]


def _inferred(numbers: bool, dates: bool, any_value: bool) -> Kind:  # noqa: FBT001 - three answers of one query
    if not any_value:
        return Kind.TEXT
    return Kind.DATE if dates else Kind.NUMBER if numbers else Kind.TEXT


def _header(path: Path, delimiter: str) -> list[str]:
    cells = next(csv_rows(path, delimiter), None)
    if not cells:
        raise IndexReadError(f"{path}: expected a table with a header and rows, got an empty file.")
    names = column_names(path, cells)
    _refuse_same_names(path, names)
    return names


def _refuse_same_names(path: Path, names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise IndexReadError(
                f"{path}: the columns '{seen[name.lower()]}' and '{name}' differ only in upper and lower case, which "
                "an index does not distinguish. Rename one of them in the table."
            )
        seen[name.lower()] = name
