"""Cohort statistics in a query: each is a small table of figures of the cohort, joined to every image.

How the table of a statistic is made is part of its entry in `language/functions/statistics.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic
from monai_unlearn.cohort.language.functions.function import finite
from monai_unlearn.cohort.query.computed_table import ComputedTable
from monai_unlearn.cohort.query.sql import Parameter, Sql, SqlContext, quoted
from monai_unlearn.cohort.query.term_sql import argument_sql, term_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.language.functions.statistic import Scores
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
        tables = _with(tables, call, _Table.of(call, f"statistic_{number}", context, cohort))
    return tables


def _with(tables: StatisticTables, call: Call, table: _Table) -> StatisticTables:
    statistics = {**tables.context.statistics, call: table.value}
    tables = replace(tables, context=replace(tables.context, statistics=statistics), joins=(*tables.joins, table.join))
    if table.statistic.scores is not None:
        return replace(tables, computed=(*tables.computed, table.computed(table.statistic.scores)))
    return replace(
        tables,
        tables=(*tables.tables, f"{table.name} AS ({table.aggregated})"),
        parameters=(*tables.parameters, *table.rows.parameters),
    )


@dataclass(frozen=True)
class _Table:
    """The table of one statistic.

    Attributes:
        name: Its name in the query.
        statistic: The entry of the statistic.
        keys: The columns of the group, each with the expression of an image's own key.
        values: The columns of the arguments, each with the expression of an image's own value.
        cohort: The condition on `seen` of the images that it is computed from.
    """

    name: str
    statistic: Statistic
    keys: Mapping[str, str]
    values: Mapping[str, str]
    cohort: Sql

    @classmethod
    def of(cls, call: Call, name: str, context: SqlContext, cohort: Sql) -> _Table:
        statistic = FUNCTIONS[call.function]
        if not isinstance(statistic, Statistic):
            raise TypeError(call.function)
        keys = {_column(name, f"key {number}"): term_sql(field, context) for number, field in enumerate(call.by)}
        arguments = enumerate(argument_sql(call, context))
        values = {_column(name, f"value {number}"): argument for number, argument in arguments}
        return cls(name, statistic, keys, values, cohort)

    @property
    def rows(self) -> Sql:
        """The query of the cohort's keys and values, without the rows where one of them is missing."""
        columns = {**self.keys, **self.values}
        selected = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
        known = [f"{expression} IS NOT NULL" for expression in columns.values()]
        where = " AND ".join([f"({self.cohort.text})", *known])
        return Sql(f"SELECT {selected} FROM seen WHERE {where}", self.cohort.parameters)  # noqa: S608 - quoted names

    @property
    def aggregated(self) -> str:
        """The query of the table: a row per group or, with `per_value`, per distinct `x` of a group."""
        (x,) = self.values
        own = {x: "x"} if self.statistic.per_value else {}
        figures = {self._figure(number): aggregate for number, aggregate in enumerate(self.statistic.aggregates)}
        columns = [*self.keys, *(f"{expression} AS {name}" for name, expression in {**own, **figures}.items())]
        source = f"SELECT {', '.join([*self.keys, f'{x} AS x'])} FROM ({self.rows.text})"  # noqa: S608 - quoted names
        grouped = ", ".join([*self.keys, *own.values()])
        text = f"SELECT {', '.join(columns)} FROM ({source})"  # noqa: S608 - quoted names
        text += f" GROUP BY {grouped}" if grouped else ""
        if self.statistic.per_value:
            partition = f"PARTITION BY {', '.join(self.keys)}" if self.keys else ""
            text += f" WINDOW cohort AS ({partition})"
        return text

    def computed(self, scores: Scores) -> ComputedTable:
        """Return the table as one that Python computes."""
        return ComputedTable(self.name, self.rows, keys=len(self.keys), scores=scores, figure=f"{self.name}: figure 0")

    @property
    def join(self) -> str:
        """The join of the table to every image, by its group and, where the table has them, its values."""
        has_values = self.statistic.per_value or self.statistic.scores is not None
        joined = {**self.keys, **self.values} if has_values else self.keys
        on = " AND ".join(f"{expression} = {self.name}.{column}" for column, expression in joined.items())
        return f"LEFT JOIN {self.name} ON {on or 'TRUE'}"

    @property
    def value(self) -> str:
        """The expression of an image's result; NULL where it is not finite, or where the image has no value."""
        x = next(iter(self.values.values()))
        figures = range(len(self.statistic.aggregates) or 1)
        names = {f"a{number}": f"{self.name}.{self._figure(number)}" for number in figures}
        # GREATEST ignores NULL, so an image without a value needs its own condition.
        return f"CASE WHEN {x} IS NOT NULL THEN {finite(self.statistic.value.format(x=x, **names))} END"

    def _figure(self, number: int) -> str:
        return _column(self.name, f"figure {number}")


def _column(table: str, name: str) -> str:
    # The colon keeps it apart from the columns of an index.
    return quoted(f"{table}: {name}")
