"""Cohort statistics in a query: each is a small table of the cohort's figures, joined to every image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic
from monai_unlearn.cohort.language.functions.function import finite
from monai_unlearn.cohort.language.term import Call
from monai_unlearn.cohort.query.sql import Parameter, Sql, SqlContext, quoted
from monai_unlearn.cohort.query.term_sql import argument_sql, term_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from monai_unlearn.cohort.language.predicate import Predicate

FOREST = "isolation_forest"
_RANK = "percentile_rank"


@dataclass(frozen=True)
class StatisticTables:
    """What a statement needs for its statistics.

    Attributes:
        names: The names, with the expression of every statistic.
        tables: The common table expressions, each `name AS (…)`.
        joins: How they are joined to the rows.
        parameters: The parameters of the tables, in their order.
    """

    names: SqlContext
    tables: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()


def statistics_of(predicates: Iterable[Predicate]) -> tuple[Call, ...]:
    """Return the different cohort statistics that predicates ask for, in their order."""
    calls = (node for predicate in predicates for node in predicate.walk() if isinstance(node, Call))
    return tuple(dict.fromkeys(call for call in calls if call.is_statistic))


def statistic_tables(
    calls: Sequence[Call], names: SqlContext, cohort: Sql, *, score: Callable[[str, Sql, int, int], None]
) -> StatisticTables:
    """Return the tables of the statistics.

    Args:
        calls: The statistics.
        names: What their fields stand for.
        cohort: The condition on `seen` of the images that a statistic is computed of.
        score: Makes the table of an isolation forest: its name, the query of its keys and features, how many
            keys and features.
    """
    tables = StatisticTables(names)
    for number, call in enumerate(calls):
        tables = _with(tables, call, f"statistic_{number}", cohort, score)
    return tables


def _with(
    tables: StatisticTables, call: Call, table: str, cohort: Sql, score: Callable[[str, Sql, int, int], None]
) -> StatisticTables:
    names = tables.names
    keys = [term_sql(field, names) for field in call.by]
    features = argument_sql(call, names)
    rows = _rows(table, keys, features, cohort)
    groups = [_column(table, f"key {number}") for number in range(len(keys))]
    values = [_column(table, f"value {number}") for number in range(len(features))]
    joined = [f"{key} = {table}.{name}" for key, name in zip(keys, groups, strict=True)]
    own: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    if call.function == FOREST:
        score(table, rows, len(keys), len(features))
    else:
        body = _rank(table, rows, groups) if call.function == _RANK else _aggregates(call, table, rows, groups)
        own, parameters = (f"{table} AS ({body})",), rows.parameters
    if call.function in {FOREST, _RANK}:
        joined += [f"{feature} = {table}.{name}" for feature, name in zip(features, values, strict=True)]
    expression = _value(call, table, features)
    return StatisticTables(
        names=replace(names, statistics={**names.statistics, call: expression}),
        tables=(*tables.tables, *own),
        joins=(*tables.joins, f"LEFT JOIN {table} ON {' AND '.join(joined) or 'TRUE'}"),
        parameters=(*tables.parameters, *parameters),
    )


def _rows(table: str, keys: Sequence[str], features: Sequence[str], cohort: Sql) -> Sql:
    """Return the query of the cohort's keys and features, without the rows where one of them is missing."""
    columns = [
        *(f"{key} AS {_column(table, f'key {number}')}" for number, key in enumerate(keys)),
        *(f"{feature} AS {_column(table, f'value {number}')}" for number, feature in enumerate(features)),
    ]
    known = [f"{part} IS NOT NULL" for part in (*keys, *features)]
    where = " AND ".join([f"({cohort.text})", *known])
    return Sql(f"SELECT {', '.join(columns)} FROM seen WHERE {where}", cohort.parameters)  # noqa: S608 - quoted names


def _aggregates(call: Call, table: str, rows: Sql, groups: Sequence[str]) -> str:
    function = _statistic(call)
    x = _column(table, "value 0")
    figures = [
        f"{aggregate} AS {_column(table, f'figure {number}')}" for number, aggregate in enumerate(function.aggregates)
    ]
    source = f"SELECT {', '.join([*groups, f'{x} AS x'])} FROM ({rows.text})"  # noqa: S608 - quoted names
    grouping = f" GROUP BY {', '.join(groups)}" if groups else ""
    return f"SELECT {', '.join([*groups, *figures])} FROM ({source}){grouping}"  # noqa: S608 - quoted names


def _rank(table: str, rows: Sql, groups: Sequence[str]) -> str:
    x = _column(table, "value 0")
    within = f"PARTITION BY {', '.join(groups)} " if groups else ""
    share = f"SUM(COUNT(*)) OVER ({within}ORDER BY {x}) / SUM(COUNT(*)) OVER ({within})"
    columns = ", ".join([*groups, x, f"100.0 * {share} AS {_column(table, 'figure 0')}"])
    return f"SELECT {columns} FROM ({rows.text}) GROUP BY {', '.join([*groups, x])}"  # noqa: S608 - quoted names


def _value(call: Call, table: str, features: Sequence[str]) -> str:
    function = _statistic(call)
    if not function.value:
        # A joined row is what says that the image's own value is known; a rank or a score is finite.
        return f"CAST({table}.{_column(table, 'figure 0')} AS DOUBLE)"
    figures = {
        f"a{number}": f"{table}.{_column(table, f'figure {number}')}" for number in range(len(function.aggregates))
    }
    # GREATEST passes over what is missing: an image without a value has none here either.
    value = finite(function.value.format(x=features[0], **figures))
    return f"CASE WHEN {features[0]} IS NOT NULL THEN {value} END"


def _statistic(call: Call) -> Statistic:
    function = FUNCTIONS[call.function]
    if not isinstance(function, Statistic):
        raise TypeError(call.function)
    return function


def _column(table: str, name: str) -> str:
    # No index has a column of such a name.
    return quoted(f"{table}: {name}")
