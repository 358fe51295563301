"""Cohort statistics in a query: each is a small table of figures of the cohort, joined to every image.

How the table of a statistic is made is part of its entry in `language/functions/statistics.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic
from monai_unlearn.cohort.language.functions.function import finite
from monai_unlearn.cohort.query.computed_table import ComputedTable
from monai_unlearn.cohort.query.sql import Parameter, Sql, SqlContext, quoted
from monai_unlearn.cohort.query.term_sql import argument_sql, term_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.cohort.language.term import Call


@dataclass(frozen=True)
class StatisticTables:
    """What a statement needs for its statistics.

    Attributes:
        context: The context, with the expression of every statistic.
        tables: The common table expressions, each `name AS (…)`.
        joins: The joins of the tables to the rows.
        parameters: The parameters of the common table expressions, in their order.
        computed: The tables that must be computed in Python before the statement is executed.
    """

    context: SqlContext
    tables: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    computed: tuple[ComputedTable, ...] = ()


def statistic_tables(calls: Sequence[Call], context: SqlContext, cohort: Sql) -> StatisticTables:
    """Return the tables of the statistics.

    Args:
        calls: The statistics.
        context: What their fields are in the query.
        cohort: The condition on `seen` of the images that a statistic is computed from.
    """
    tables = StatisticTables(context)
    for number, call in enumerate(calls):
        tables = _with(tables, call, f"statistic_{number}", cohort)
    return tables


def _with(tables: StatisticTables, call: Call, table: str, cohort: Sql) -> StatisticTables:
    statistic = _statistic(call)
    column = partial(_column, table)
    keys = {column(f"key {number}"): term_sql(field, tables.context) for number, field in enumerate(call.by)}
    arguments = argument_sql(call, tables.context)
    values = {column(f"value {number}"): argument for number, argument in enumerate(arguments)}
    rows = _rows({**keys, **values}, cohort)
    has_values = statistic.per_value or statistic.scores is not None
    joined = {**keys, **values} if has_values else keys
    on = " AND ".join(f"{expression} = {table}.{name}" for name, expression in joined.items()) or "TRUE"
    tables = replace(
        tables,
        context=replace(
            tables.context,
            statistics={**tables.context.statistics, call: _value(statistic, table, arguments[0])},
        ),
        joins=(*tables.joins, f"LEFT JOIN {table} ON {on}"),
    )
    if statistic.scores is not None:
        computed = ComputedTable(table, rows, keys=len(keys), scores=statistic.scores, figure=f"{table}: figure 0")
        return replace(tables, computed=(*tables.computed, computed))
    body = _aggregates(statistic, table, rows, list(keys))
    return replace(
        tables,
        tables=(*tables.tables, f"{table} AS ({body})"),
        parameters=(*tables.parameters, *rows.parameters),
    )


def _rows(columns: dict[str, str], cohort: Sql) -> Sql:
    """Return the query of the cohort's keys and values, without the rows where one of them is missing."""
    selected = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    known = [f"{expression} IS NOT NULL" for expression in columns.values()]
    where = " AND ".join([f"({cohort.text})", *known])
    return Sql(f"SELECT {selected} FROM seen WHERE {where}", cohort.parameters)  # noqa: S608 - quoted names


def _aggregates(statistic: Statistic, table: str, rows: Sql, keys: list[str]) -> str:
    """Return the query of a table: a row per group or, with `per_value`, per distinct `x` of a group."""
    x = _column(table, "value 0")
    figures = [
        f"{aggregate} AS {_column(table, f'figure {number}')}" for number, aggregate in enumerate(statistic.aggregates)
    ]
    selected = ", ".join([*keys, *([f"x AS {x}"] if statistic.per_value else []), *figures])
    grouped = ", ".join([*keys, *(["x"] if statistic.per_value else [])])
    source = f"SELECT {', '.join([*keys, f'{x} AS x'])} FROM ({rows.text})"  # noqa: S608 - quoted names
    text = f"SELECT {selected} FROM ({source})"  # noqa: S608 - quoted names
    text += f" GROUP BY {grouped}" if grouped else ""
    if statistic.per_value:
        text += f" WINDOW cohort AS ({'PARTITION BY ' + ', '.join(keys) if keys else ''})"
    return text


def _value(statistic: Statistic, table: str, x: str) -> str:
    figures = {
        f"a{number}": f"{table}.{_column(table, f'figure {number}')}"
        for number in range(len(statistic.aggregates) or 1)
    }
    # GREATEST ignores NULL, so an image without a value needs its own condition.
    return f"CASE WHEN {x} IS NOT NULL THEN {finite(statistic.value.format(x=x, **figures))} END"


def _statistic(call: Call) -> Statistic:
    function = FUNCTIONS[call.function]
    if not isinstance(function, Statistic):
        raise TypeError(call.function)
    return function


def _column(table: str, name: str) -> str:
    # The colon keeps it apart from the columns of an index.
    return quoted(f"{table}: {name}")
