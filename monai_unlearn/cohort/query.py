"""One statement asks an index every question of a spec, on a connection that can read nothing else."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.cohort.to_sql import Names, Sql, quoted, to_sql
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import Index, usable_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from monai_unlearn.cohort.bind import Bound
    from monai_unlearn.cohort.predicate import Predicate

    Mask = npt.NDArray[np.bool_]

UNITS = ("series", "study", "patient")


@dataclass(frozen=True)
class Coded:
    """A text column as numbers.

    Attributes:
        codes: One number a row, shape (rows,); -1 where the row has no value.
        texts: The text of each number, an Arrow array; every one is different.
    """

    codes: npt.NDArray[np.int64]
    texts: pa.Array

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The text of each number, as Python strings."""
        return tuple(self.texts.to_pylist())

    def distinct(self, mask: Mask) -> int:
        """Return how many different values the chosen rows have."""
        return int(self.among(mask).sum())

    def among(self, mask: Mask) -> Mask:
        """Tell for each value whether a chosen row has it, shape (texts,)."""
        seen = np.zeros(len(self.texts), dtype=bool)
        seen[self.codes[mask & (self.codes >= 0)]] = True
        return seen

    def sharing(self, mask: Mask) -> Mask:
        """Choose every row that has a value of a chosen row; rows without a value share none."""
        seen = self.among(mask)
        return np.append(seen, False)[self.codes]  # code -1 finds the appended False


@dataclass(frozen=True)
class Verdict:
    """What a predicate says of each row; where it is neither, it is unknown."""

    true: Mask
    false: Mask


@dataclass(frozen=True)
class Answers:
    """An index's answers to a spec, one entry a row in each array.

    Attributes:
        image: The images' identifiers.
        units: Series, study and patient of each row.
        label: The class of each row, where the index has classes.
        readable: Whether the row is a usable image.
        population: Whether the cohort is about the row.
        rules: What each rule says.
    """

    image: Coded
    units: Mapping[str, Coded]
    label: Coded | None
    readable: Mask
    population: Verdict
    rules: tuple[Verdict, ...]


@contextmanager
def locked_connection(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that can read the files of one folder, and nothing can unlock."""
    folder = str(directory.resolve()).replace("'", "''")
    with duckdb.connect(":memory:") as connection:
        # Parquet's statistics leave NaN out: DuckDB would conclude from them that no value is NaN, and skip looking.
        connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        connection.execute(f"SET allowed_directories = ['{folder}']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def ask(index: Index, population: Predicate | None, rules: Sequence[Predicate], bound: Mapping[str, Bound]) -> Answers:
    """Put a spec's predicates to every row of an index.

    Raises:
        IndexReadError: A part cannot be read, or an image stands in the index twice.
    """
    parts = [str(part.resolve()) for part in index.parts]
    try:
        with locked_connection(index.directory) as connection:
            names = Names(bound, _names_in_sql(connection, parts))
            statement = _statement(index, population, rules, names)
            table = _table(connection, statement.text, [*statement.parameters, parts])
    except (duckdb.Error, KeyError, OSError) as error:
        raise IndexReadError(
            f"{index.directory}: the index cannot be queried ({type(error).__name__}). Build it again with: "
            f"monai-unlearn index build SOURCE --out {index.directory}"
        ) from None
    answers = _answers(table, len(rules), has_label=index.label is not None)
    _check_unique(answers, index)
    return answers


def _table(connection: duckdb.DuckDBPyConnection, statement: str, parameters: list[object]) -> pa.Table:
    with warnings.catch_warnings():
        # DuckDB 2 advises sql() here, which with parameters takes over ten times as long on DuckDB 1.5.
        warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
        return connection.execute(statement, parameters).to_arrow_table()


def _statement(index: Index, population: Predicate | None, rules: Sequence[Predicate], names: Names) -> Sql:
    def text(column: str, alias: str) -> Sql:
        return Sql(f"NULLIF({quoted(names.in_sql[column])}, '') AS {alias}")

    usable = usable_faults()
    readable = f'"fault" IS NULL OR "fault" IN ({", ".join("?" * len(usable))})' if usable else '"fault" IS NULL'
    columns = [text("image_id", "image"), *(text(unit, unit) for unit in UNITS)]
    if index.label is not None:
        label = quoted(names.in_sql[index.label])
        columns.append(Sql(f"NULLIF(CAST({label} AS VARCHAR), '') AS label"))
    columns.append(Sql(f"({readable}) AS readable", usable))
    for alias, predicate in [("population", population), *((f"rule_{n}", rule) for n, rule in enumerate(rules))]:
        condition = Sql("TRUE") if predicate is None else to_sql(predicate, names)
        columns.append(Sql(f"({condition.text}) AS {alias}", condition.parameters))
    return Sql(
        f"SELECT {', '.join(column.text for column in columns)} FROM read_parquet(?)",  # noqa: S608 - values are parameters
        tuple(parameter for column in columns for parameter in column.parameters),
    )


def _names_in_sql(connection: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> dict[str, str]:
    """Return what DuckDB calls each column: it knows no upper and lower case, and renames the second of two.

    Where it renames, it takes the columns of later parts in their order: they must be laid out alike.
    """
    columns = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [list(parts)]).fetchall()
    in_file = pq.read_schema(parts[0]).names
    names = dict(zip(in_file, (column[0] for column in columns), strict=True))
    renamed = any(name != in_sql for name, in_sql in names.items())
    if renamed and any(pq.read_schema(part).names != in_file for part in parts[1:]):
        raise KeyError("columns")
    return names


def _answers(table: pa.Table, rules: int, *, has_label: bool) -> Answers:
    return Answers(
        image=_coded(table["image"]),
        units={unit: _coded(table[unit]) for unit in UNITS},
        label=_coded(table["label"]) if has_label else None,
        readable=_verdict(table["readable"]).true,
        population=_verdict(table["population"]),
        rules=tuple(_verdict(table[f"rule_{number}"]) for number in range(rules)),
    )


def _coded(column: pa.ChunkedArray) -> Coded:
    encoded = column.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded(codes, encoded.dictionary)


def _verdict(column: pa.ChunkedArray) -> Verdict:
    values = column.combine_chunks()
    return Verdict(
        true=values.fill_null(fill_value=False).to_numpy(zero_copy_only=False),
        false=~values.fill_null(fill_value=True).to_numpy(zero_copy_only=False),
    )


def _check_unique(answers: Answers, index: Index) -> None:
    images = int(answers.readable.sum())
    different = answers.image.distinct(answers.readable)
    if different < images:
        raise IndexReadError(
            f"{index.directory}: expected one row an image, got {images} rows of {different} images, so that a "
            "part could hold an image that another holds too. Build the index again."
        )
