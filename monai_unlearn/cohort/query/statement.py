"""The statement that answers a question about every row of an index, as SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.term import statistics_of
from monai_unlearn.cohort.query.field_sql import Plausibility
from monai_unlearn.cohort.query.identity import UNITS
from monai_unlearn.cohort.query.sql import Sql, SqlContext, quoted
from monai_unlearn.cohort.query.statistic_sql import statistic_tables
from monai_unlearn.cohort.query.to_sql import to_sql
from monai_unlearn.index import usable_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.language.term import Field
    from monai_unlearn.cohort.query.computed_table import ComputedTable
    from monai_unlearn.cohort.query.statistic_sql import StatisticTables
    from monai_unlearn.cohort.typing.columns import Bound

# The first parameter of a statement is the list of the index's parts.
SEEN = "seen AS (SELECT * FROM read_parquet(?))"
# The colon keeps it apart from the columns of an index.
_PLACE = quoted("row: place")
# Where a row is in the parts. It increases with the rows, but not by one.
PLACE = Sql(f"{_PLACE} AS place")
# DuckDB's own columns, which `*` leaves out: the number of a row's file, and of the row within it.
_OF_DUCKDB = frozenset({"file_index", "file_row_number"})
_ROWS_A_PART = 40  # bits


def seen_with_place(in_sql: Mapping[str, str]) -> str:
    """Return the rows of an index with their place.

    Args:
        in_sql: DuckDB's name for each column. A column of the index hides the one of DuckDB that has its name; then
            the rows are numbered, which takes one thread alone.
    """
    place = f"(CAST(file_index AS UBIGINT) << {_ROWS_A_PART}) + CAST(file_row_number AS UBIGINT)"
    if _OF_DUCKDB & {name.lower() for name in in_sql.values()}:
        place = "row_number() OVER ()"
    return f"seen AS (SELECT *, {place} AS {_PLACE} FROM read_parquet(?))"  # noqa: S608 - no value


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked about every row of an index.

    Attributes:
        population: The rows that the cohort is about; None for all of them.
        rules: What must hold for a row to be forgotten.
        bound: The columns of every field.
        value_sets: The values behind each `@name`.
        strata: The fields whose values are needed as well.
        plausibility: Which dates and ages count as true.
    """

    population: Predicate | None
    rules: Sequence[Predicate]
    bound: Mapping[str, Bound]
    value_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    strata: Sequence[Field] = ()
    plausibility: Plausibility = field(default_factory=Plausibility)

    def context(self, in_sql: Mapping[str, str]) -> SqlContext:
        """Return the SQL context of the question, given DuckDB's name for each column."""
        return SqlContext(self.bound, in_sql, self.value_sets, self.plausibility)


@dataclass(frozen=True)
class Statement:
    """A statement, and the tables that must be computed and registered before it is executed."""

    sql: Sql
    computed: tuple[ComputedTable, ...] = ()


def statement_for(question: Question, context: SqlContext, *, label: str | None) -> Statement:
    """Return the one statement that answers a question.

    Args:
        question: What is asked.
        context: What its names are in the query.
        label: The column of classes, where the index has one.
    """
    tables = _tables(question, context)
    columns = [*identity_columns(context, label=label), *verdict_columns(question, context, tables.context)]
    return Statement(select(columns, tables), tables.computed)


def verdict_statement(question: Question, context: SqlContext, *, seen: str) -> Statement:
    """Return the statement that answers a question without saying what the rows are, except for their place.

    Args:
        question: What is asked.
        context: What its names are in the query.
        seen: The rows with their place; see `seen_with_place`.
    """
    tables = _tables(question, context)
    columns = [*verdict_columns(question, context, tables.context), PLACE]
    return Statement(select(columns, tables, seen=seen), tables.computed)


def _tables(question: Question, context: SqlContext) -> StatisticTables:
    readable, population = Sql(*usable_sql()), _population(question, context)
    cohort = Sql(f"{readable.text} AND ({population.text})", (*readable.parameters, *population.parameters))
    return statistic_tables(statistics_of(question.rules), context, cohort)


def select(columns: Iterable[Sql], tables: StatisticTables | None = None, *, seen: str = SEEN) -> Sql:
    """Return the statement that selects some columns of every row."""
    chosen = list(columns)
    selected = ",\n  ".join(column.text for column in chosen)
    more, joins, parameters = (tables.tables, tables.joins, [*tables.parameters]) if tables else ((), (), [])
    parameters += [parameter for column in chosen for parameter in column.parameters]
    text = f"WITH {', '.join([seen, *more])}\nSELECT\n  {selected}\nFROM seen"
    return Sql("\n".join([text, *joins]), tuple(parameters))


def identity_columns(context: SqlContext, *, label: str | None) -> Iterator[Sql]:
    """Yield the columns that do not depend on the question."""

    def text(column: str, alias: str) -> Sql:
        return Sql(f"CAST({quoted(context.in_sql[column])} AS VARCHAR) AS {alias}")

    yield text("image_id", "image")
    yield from (text(unit, unit) for unit in UNITS)
    yield text("faults", "faults")
    if label is not None:
        yield text(label, "label")
    readable = Sql(*usable_sql())
    yield Sql(f"{readable.text} AS readable", readable.parameters)


def verdict_columns(question: Question, context: SqlContext, in_rules: SqlContext | None = None) -> Iterator[Sql]:
    """Yield the columns of a question's strata, population and rules.

    Args:
        question: What is asked.
        context: What its names are in the query.
        in_rules: The same, with the statistics that the rules use.
    """
    for number, stratum in enumerate(question.strata):
        yield Sql(f"CAST({context.expression(stratum)} AS VARCHAR) AS stratum_{number}")
    population = _population(question, context)
    yield Sql(f"({population.text}) AS population", population.parameters)
    for number, rule in enumerate(question.rules):
        condition = to_sql(rule, in_rules or context)
        yield Sql(f"({condition.text}) AS rule_{number}", condition.parameters)


def _population(question: Question, context: SqlContext) -> Sql:
    return Sql("TRUE") if question.population is None else to_sql(question.population, context)
