"""A DuckDB connection that can read the files of one index and nothing else."""

from __future__ import annotations

import atexit
import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.cohort.query.near_misses import COMMON_FORMS
from monai_unlearn.cohort.query.sql import AGE_MACROS, SEVERAL_MACROS
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.check_files import remedy
from monai_unlearn.vocabulary.folding import SQL_MACROS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.cohort.query.sql import Sql
    from monai_unlearn.index import Index


@dataclass(frozen=True)
class OpenIndex:
    """The parts of an index, open for queries.

    Attributes:
        connection: The locked connection.
        in_sql: DuckDB's name for each column.
        parts: The paths of the Parquet files, which are the first parameter of every statement.
    """

    connection: duckdb.DuckDBPyConnection
    in_sql: Mapping[str, str]
    parts: list[str]

    def fetch(self, statement: Sql) -> pa.Table:
        """Return the result of a statement, whose first parameter, the parts, is not among its own."""
        with warnings.catch_warnings():
            # DuckDB 2 recommends sql(), which with parameters takes over ten times as long on DuckDB 1.5.
            warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
            parameters = [self.parts, *statement.parameters]
            return self.connection.execute(statement.text, parameters).to_arrow_table()


@contextmanager
def open_index(index: Index) -> Iterator[OpenIndex]:
    """Open an index's parts for queries.

    Raises:
        IndexReadError: A part was changed since the index was opened, or cannot be read or queried.
    """
    index.checked.refuse_changes(index.directory)
    parts = [str(part.resolve()) for part in index.parts]
    try:
        with _kept_connection(index.directory) as connection:
            yield OpenIndex(connection, _kept_names(connection, index.parts), parts)
    except (duckdb.Error, pa.ArrowException, KeyError, OSError) as error:
        raise IndexReadError(
            f"{index.directory}: the index cannot be queried ({type(error).__name__}). {remedy(index.directory)}"
        ) from None


# The idle connection of the last folder that was queried, by process: starting a database takes as long as a query.
_IDLE: dict[tuple[int, Path], duckdb.DuckDBPyConnection] = {}


@contextmanager
def _kept_connection(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend the idle connection of a folder, or a new one where there is none or another thread has it."""
    key = (os.getpid(), directory.resolve())
    connection = _IDLE.pop(key, None) or _connect(directory)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    close_idle()
    _IDLE[key] = connection


@atexit.register
def close_idle() -> None:
    """Close the idle connection; at the end of a process DuckDB would print that it is still open."""
    # A forked process leaves alone what it inherited: closing that would wait for threads that it does not have.
    for key in [key for key in _IDLE if key[0] == os.getpid()]:
        _IDLE.pop(key).close()


@contextmanager
def locked_connection(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that can only read the files of one folder; no statement can unlock it."""
    with _connect(directory) as connection:
        yield connection


def _connect(directory: Path) -> duckdb.DuckDBPyConnection:
    folder = str(directory.resolve()).replace("'", "''")
    connection = duckdb.connect(":memory:")
    try:
        # Parquet's statistics leave NaN out. DuckDB would conclude that no value is NaN, and skip the check for it.
        connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        # DuckDB would print it to standard output, which is for JSON, where it takes its caller to be interactive.
        connection.execute("SET enable_progress_bar = false")
        # What the files hold is read anew by every query; a kept copy could be that of a file as it was.
        connection.execute("SET enable_external_file_cache = false")
        connection.execute(f"SET allowed_directories = ['{folder}']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        for macro in (*SQL_MACROS, *AGE_MACROS, *SEVERAL_MACROS, COMMON_FORMS):
            connection.execute(macro)
    except BaseException:
        connection.close()
        raise
    return connection


# The names of columns of the last index that was queried, by its parts as they were.
_NAMES: dict[tuple[object, ...], dict[str, str]] = {}


def _kept_names(connection: duckdb.DuckDBPyConnection, parts: Sequence[Path]) -> dict[str, str]:
    """Return DuckDB's name for each column, asked once while the files of the parts do not change."""
    states = [(str(part.resolve()), part.stat()) for part in parts]
    key = tuple((path, state.st_size, state.st_mtime_ns, state.st_ctime_ns) for path, state in states)
    if key not in _NAMES:
        found = _names_in_sql(connection, [path for path, _ in states])
        _NAMES.clear()
        _NAMES[key] = found
    return _NAMES[key]


def _names_in_sql(connection: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> dict[str, str]:
    """Return DuckDB's name for each column: it ignores case, and renames the second of two that differ by case only.

    Where it renames, it goes by the order of the columns: later parts must have the same order.
    """
    columns = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [list(parts)]).fetchall()
    in_file = pq.read_schema(parts[0]).names
    names = dict(zip(in_file, (column[0] for column in columns), strict=True))
    renamed = any(name != in_sql for name, in_sql in names.items())
    if renamed and any(pq.read_schema(part).names != in_file for part in parts[1:]):
        raise KeyError("columns")
    return names
