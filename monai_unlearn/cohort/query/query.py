"""Run a question on an index: one statement for its verdicts; what the rows are is read once for all questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.answers import Answers, CategoricalColumn, Verdict
from monai_unlearn.cohort.query.arrays import numbers, of_places
from monai_unlearn.cohort.query.connection import OpenIndex, open_index
from monai_unlearn.cohort.query.contradicting import Contradicting
from monai_unlearn.cohort.query.identity import identity_of
from monai_unlearn.cohort.query.sql import Sql, SqlContext, quoted
from monai_unlearn.cohort.query.statement import (
    PLACE,
    SEEN,
    Question,
    Statement,
    seen_with_place,
    select,
    statement_for,
    verdict_statement,
)
from monai_unlearn.index import usable_sql

_MOST_RUNS = 10_000

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monai_unlearn.cohort.query.answers import Identity
    from monai_unlearn.cohort.query.field_sql import FieldSql, Plausibility
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index


def run_query(index: Index, question: Question) -> Answers:
    """Answer a question for every row of an index, in the order of its parts.

    Raises:
        IndexReadError: A part cannot be read, or an image has two usable rows.
    """
    with open_index(index) as opened:
        context, seen = question.context(opened.in_sql), seen_with_place(opened.in_sql)

        def text_of(column: str) -> pa.ChunkedArray:
            cast = Sql(f"CAST({quoted(opened.in_sql[column])} AS VARCHAR) AS text")
            return _in_order(opened.fetch(select([cast, PLACE], seen=seen)))["text"]

        identity = identity_of(index, text_of)
        table = _in_order(_fetch(opened, verdict_statement(question, context, seen=seen)))
        return _answers(table, identity, question)


def statement_of(index: Index, question: Question) -> Sql:
    """Return the statement that answers a question, without its first parameter, the index's parts.

    `run_query` asks for the verdicts alone, because the other columns are the same for every question.

    Raises:
        IndexReadError: A part cannot be read.
    """
    with open_index(index) as opened:
        return statement_for(question, question.context(opened.in_sql), label=index.label).sql


def count_present(index: Index, fields: Mapping[str, Bound]) -> dict[str, int]:
    """Return how many readable images have a value, for each field; under the empty name, how many there are.

    Raises:
        IndexReadError: A part cannot be read.
    """
    return _count(index, SqlContext(fields, {}), lambda field: field.is_present)


def count_several(index: Index, fields: Mapping[str, Bound]) -> dict[str, int]:
    """Return how many readable images have several values of each field.

    Raises:
        IndexReadError: A part cannot be read.
    """
    return _count(index, SqlContext(fields, {}), lambda field: field.has_several)


def count_known(index: Index, fields: Mapping[str, Bound], plausibility: Plausibility) -> dict[str, int]:
    """Return how many readable images have a value of each field that is not in doubt, or several.

    Raises:
        IndexReadError: A part cannot be read.
    """
    context = SqlContext(fields, {}, plausibility=plausibility)
    return _count(index, context, lambda field: field.is_known)


def _count(index: Index, context: SqlContext, condition: Callable[[FieldSql], str]) -> dict[str, int]:
    with open_index(index) as opened:
        context, readable = replace(context, in_sql=opened.in_sql), Sql(*usable_sql())
        conditions = [condition(context.field(Field(name))) for name in context.bound]
        selected = ", ".join(f"COUNT(*) FILTER (WHERE {text})" for text in ("TRUE", *conditions))
        text = f"WITH {SEEN} SELECT {selected} FROM seen WHERE {readable.text}"  # noqa: S608 - quoted names
        row = opened.connection.execute(text, [opened.parts, *readable.parameters]).fetchone() or ()
    return dict(zip(("", *context.bound), row, strict=True))


def _fetch(opened: OpenIndex, statement: Statement) -> pa.Table:
    """Register the computed tables of a statement, then execute it."""
    for table in statement.computed:
        rows = opened.fetch(Sql(f"WITH {SEEN} {table.rows.text}", table.rows.parameters))
        opened.connection.register(table.name, table.compute(rows))
    try:
        return opened.fetch(statement.sql)
    finally:
        for table in statement.computed:
            opened.connection.unregister(table.name)


def _in_order(table: pa.Table) -> pa.Table:
    """Sort rows as they are in the parts: a database promises no order once it joins, as it does for `IN`."""
    places, rows = numbers(table["place"]), table.drop_columns("place")
    if not len(places):
        return rows
    begins = np.append(0, np.flatnonzero(places[1:] != places[:-1] + 1) + 1)
    order = np.argsort(places[begins])
    if len(order) > _MOST_RUNS:
        return rows.take(of_places(np.argsort(places)))
    ends = np.append(begins[1:], len(places))
    # Row groups come whole; so a few runs of rows are put in order, and not each row.
    return pa.concat_tables([rows.slice(begins[run], ends[run] - begins[run]) for run in order])


def _answers(table: pa.Table, identity: Identity, question: Question) -> Answers:
    contradicting = Contradicting.of(identity)
    return Answers(
        **vars(identity),
        population=contradicting.verdict(Verdict.of(table["population"])),
        rules=tuple(
            contradicting.unknown(Verdict.of(table[f"rule_{number}"])) for number in range(len(question.rules))
        ),
        strata=tuple(CategoricalColumn.of(table[f"stratum_{number}"]) for number in range(len(question.strata))),
    )
