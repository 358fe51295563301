"""One statement asks an index every question of a spec, on a connection that can read nothing else."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.sql import Sql, SqlContext, quoted
from monai_unlearn.cohort.query.statistic_sql import StatisticTables, statistic_tables, statistics_of
from monai_unlearn.cohort.query.to_sql import to_sql
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import Index, usable_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.typing.bound import Bound

    Mask = npt.NDArray[np.bool_]

UNITS = ("series", "study", "patient")


@dataclass(frozen=True)
class CategoricalColumn:
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

    def chosen(self, values: Mask) -> list[str]:
        """Return the texts of the chosen values, shape (texts,), in the order of their numbers."""
        texts: list[str] = self.texts.filter(pa.array(values)).to_pylist()
        return texts

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
class Identity:
    """Who the rows of an index are, whatever is asked of them; one entry a row in each array.

    Attributes:
        image: The images' identifiers.
        units: Series, study and patient of each row.
        label: The class of each row, where the index has classes.
        readable: Whether the row is a usable image.
    """

    image: CategoricalColumn
    units: Mapping[str, CategoricalColumn]
    label: CategoricalColumn | None
    readable: Mask


@dataclass(frozen=True)
class Answers(Identity):
    """An index's answers to a spec, one entry a row in each array.

    Attributes:
        population: Whether the cohort is about the row.
        rules: What each rule says.
        strata: What each field that the sample is stratified by holds.
    """

    population: Verdict
    rules: tuple[Verdict, ...]
    strata: tuple[CategoricalColumn, ...] = ()


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


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of every row of an index.

    Attributes:
        population: Which rows the cohort is about; None, all of them.
        rules: What must hold of a row to be forgotten.
        bound: The columns of every field.
        value_sets: The values behind each `@name`.
        strata: The fields whose values are wanted as well.
    """

    population: Predicate | None
    rules: Sequence[Predicate]
    bound: Mapping[str, Bound]
    value_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    strata: Sequence[Field] = ()


def run_query(index: Index, question: Question) -> Answers:
    """Put a question to every row of an index.

    Raises:
        IndexReadError: A part cannot be read, or an image stands in the index twice.
    """
    with _opened(index) as (connection, names, parts):

        def rows(statement: Sql) -> pa.Table:
            return _table(connection, statement.text, [parts, *statement.parameters])

        named, forests = _names(names, question), _Forests(connection, parts)
        if statistics_of(question.rules) or _PLACE & {name.lower() for name in names}:
            # Joined tables have no places of their own, and a column of such a name would hide a row's place.
            table = rows(_statement(index, question, named, forests))
            return _answers(table, _identity(table, index), question)
        sizes = [pq.read_metadata(part).num_rows for part in parts]

        def placed(columns: Iterable[Sql]) -> pa.Table:
            return _in_order(rows(_select([*columns, _PLACE_COLUMNS], seen=_SEEN_WITH_PLACE)), sizes)

        identity = _kept(index, lambda: _identity(placed(_identity_columns(index, named)), index))
        return _answers(placed(_verdict_columns(question, named)), identity, question)


def _in_order(table: pa.Table, sizes: Sequence[int]) -> pa.Table:
    """Put rows into the order that they have in the parts: a database promises none once it joins, as `IN` does."""
    starts = np.cumsum([0, *sizes[:-1]])
    places = starts[table["part"].to_numpy()] + table["place"].to_numpy().astype(np.int64)
    if bool((places[1:] > places[:-1]).all()):
        return table.drop_columns(["part", "place"])
    order = np.empty(len(places), dtype=np.int64)
    order[places] = np.arange(len(places))
    return table.drop_columns(["part", "place"]).take(pa.array(order))


# Whose images a process has looked at last: their names are most of what a question costs, and the same for all.
_KEPT: dict[tuple[object, ...], Identity] = {}


def _kept(index: Index, read: Callable[[], Identity]) -> Identity:
    """Return the identity of an index's rows, read once while the files of its parts stay as they are."""
    states = [(str(part), part.stat().st_size, part.stat().st_mtime_ns) for part in index.parts]
    key = (str(index.directory.resolve()), index.digest, index.label, *states)
    if key not in _KEPT:
        found = read()
        _KEPT.clear()
        _KEPT[key] = found
    return _KEPT[key]


def statement_of(index: Index, question: Question) -> Sql:
    """Return the statement that answers a question; its first parameter, the index's parts, is left out.

    `ask` executes it in two where it may keep what does not depend on the question.

    Raises:
        IndexReadError: A part cannot be read.
    """
    with _opened(index) as (connection, names, parts):
        return _statement(index, question, _names(names, question), _Forests(connection, parts))


def present(index: Index, fields: Mapping[str, Bound]) -> dict[str, int]:
    """Return for each field how many readable images have a value.

    Raises:
        IndexReadError: A part cannot be read.
    """
    with _opened(index) as (connection, in_sql, parts):
        names, readable = SqlContext(fields, in_sql), Sql(*usable_sql())
        counts = [f"COUNT({names.expression(Field(name))})" for name in fields]
        select = ", ".join(["COUNT(*)", *counts])
        text = f"SELECT {select} FROM read_parquet(?) WHERE {readable.text}"  # noqa: S608 - quoted names
        row = connection.execute(text, [parts, *readable.parameters]).fetchone() or ()
    return dict(zip(("", *fields), row, strict=True))


@contextmanager
def _opened(index: Index) -> Iterator[tuple[duckdb.DuckDBPyConnection, Mapping[str, str], list[str]]]:
    """Open an index's parts, and say in the index's words what goes wrong with them."""
    parts = [str(part.resolve()) for part in index.parts]
    try:
        with locked_connection(index.directory) as connection:
            yield connection, _names_in_sql(connection, parts), parts
    except (duckdb.Error, KeyError, OSError) as error:
        raise IndexReadError(
            f"{index.directory}: the index cannot be queried ({type(error).__name__}). Build it again with: "
            f"monai-unlearn index build SOURCE --out {index.directory}"
        ) from None


def _names(in_sql: Mapping[str, str], question: Question) -> SqlContext:
    return SqlContext(question.bound, in_sql, question.value_sets)


def _table(connection: duckdb.DuckDBPyConnection, statement: str, parameters: Sequence[object]) -> pa.Table:
    with warnings.catch_warnings():
        # DuckDB 2 advises sql() here, which with parameters takes over ten times as long on DuckDB 1.5.
        warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
        return connection.execute(statement, list(parameters)).to_arrow_table()


_SEEN = "seen AS (SELECT * FROM read_parquet(?))"
# DuckDB's own columns, which `*` leaves out: the number of a row's file, and of the row within it.
_PLACE = {"file_index", "file_row_number"}
_SEEN_WITH_PLACE = "seen AS (SELECT *, file_index, file_row_number FROM read_parquet(?))"
_PLACE_COLUMNS = Sql("file_index AS part, file_row_number AS place")


@dataclass(frozen=True)
class _Forests:
    """Computes the isolation forests of a statement, and puts their scores where it finds them."""

    connection: duckdb.DuckDBPyConnection
    parts: list[str]

    def __call__(self, table: str, rows: Sql, keys: int, features: int) -> None:
        from monai_unlearn.cohort.query.isolation_forest import forest_scores

        found = _table(self.connection, f"WITH {_SEEN} {rows.text}", [self.parts, *rows.parameters])
        columns = [
            *(f"{table}: key {number}" for number in range(keys)),
            *(f"{table}: value {number}" for number in range(features)),
        ]
        scores = forest_scores(found.rename_columns(columns), keys=keys, score=f"{table}: figure 0")
        self.connection.register(table, scores)


def _statement(index: Index, question: Question, names: SqlContext, forests: _Forests) -> Sql:
    readable, population = Sql(*usable_sql()), _population(question, names)
    cohort = Sql(f"{readable.text} AND ({population.text})", (*readable.parameters, *population.parameters))
    tables = statistic_tables(statistics_of(question.rules), names, cohort, score=forests)
    return _select([*_identity_columns(index, names), *_verdict_columns(question, names, tables.names)], tables)


def _population(question: Question, names: SqlContext) -> Sql:
    return Sql("TRUE") if question.population is None else to_sql(question.population, names)


def _select(columns: Iterable[Sql], tables: StatisticTables | None = None, *, seen: str = _SEEN) -> Sql:
    chosen = list(columns)
    selected = ",\n  ".join(column.text for column in chosen)
    more, joins, parameters = (tables.tables, tables.joins, [*tables.parameters]) if tables else ((), (), [])
    parameters += [parameter for column in chosen for parameter in column.parameters]
    text = f"WITH {', '.join([seen, *more])}\nSELECT\n  {selected}\nFROM seen"
    return Sql("\n".join([text, *joins]), tuple(parameters))


def _identity_columns(index: Index, names: SqlContext) -> Iterator[Sql]:
    def text(column: str, alias: str) -> Sql:
        return Sql(f"CAST({quoted(names.in_sql[column])} AS VARCHAR) AS {alias}")

    yield text("image_id", "image")
    yield from (text(unit, unit) for unit in UNITS)
    if index.label is not None:
        yield text(index.label, "label")
    readable = Sql(*usable_sql())
    yield Sql(f"{readable.text} AS readable", readable.parameters)


def _verdict_columns(question: Question, names: SqlContext, in_rules: SqlContext | None = None) -> Iterator[Sql]:
    for number, stratum in enumerate(question.strata):
        yield Sql(f"CAST({names.expression(stratum)} AS VARCHAR) AS stratum_{number}")
    population = _population(question, names)
    yield Sql(f"({population.text}) AS population", population.parameters)
    for number, rule in enumerate(question.rules):
        condition = to_sql(rule, in_rules or names)
        yield Sql(f"({condition.text}) AS rule_{number}", condition.parameters)


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


def _identity(table: pa.Table, index: Index) -> Identity:
    identity = Identity(
        image=_coded(table["image"]),
        units={unit: _coded(table[unit]) for unit in UNITS},
        label=_coded(table["label"]) if "label" in table.column_names else None,
        readable=_verdict(table["readable"]).true,
    )
    _check_unique(identity, index)
    return identity


def _answers(table: pa.Table, identity: Identity, question: Question) -> Answers:
    return Answers(
        **vars(identity),
        population=_verdict(table["population"]),
        rules=tuple(_verdict(table[f"rule_{number}"]) for number in range(len(question.rules))),
        strata=tuple(_coded(table[f"stratum_{number}"]) for number in range(len(question.strata))),
    )


def _coded(column: pa.ChunkedArray) -> CategoricalColumn:
    """Number a column's texts; one of white space alone is no value, else strangers would share it."""
    encoded = column.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    texts = encoded.dictionary
    blank = pc.equal(pc.utf8_trim_whitespace(texts), "").to_numpy(zero_copy_only=False)
    if blank.any():
        codes[np.append(blank, False)[codes]] = -1
    return CategoricalColumn(codes, texts)


def _verdict(column: pa.ChunkedArray) -> Verdict:
    values = column.combine_chunks()
    return Verdict(
        true=values.fill_null(fill_value=False).to_numpy(zero_copy_only=False),
        false=~values.fill_null(fill_value=True).to_numpy(zero_copy_only=False),
    )


def _check_unique(answers: Identity, index: Index) -> None:
    images = int(answers.readable.sum())
    different = answers.image.distinct(answers.readable)
    if different < images:
        raise IndexReadError(
            f"{index.directory}: expected one row an image, got {images} rows of {different} images, so that a "
            "part could hold an image that another holds too. Build the index again."
        )
