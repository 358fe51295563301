"""Run a question on an index: one statement, or two where what does not depend on the question is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.cohort.language.term import Field, statistics_of
from monai_unlearn.cohort.query.answers import Answers, CategoricalColumn, Identity, Verdict
from monai_unlearn.cohort.query.connection import OpenIndex, open_index
from monai_unlearn.cohort.query.contradicting import Contradicting
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.query.statement import (
    PLACE,
    PLACE_COLUMNS,
    SEEN,
    SEEN_WITH_PLACE,
    UNITS,
    Question,
    Statement,
    identity_columns,
    select,
    statement_for,
    verdict_columns,
)
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index import usable_sql
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from monai_unlearn.cohort.query.field_sql import FieldSql, Plausibility
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index


def run_query(index: Index, question: Question) -> Answers:
    """Answer a question for every row of an index.

    Raises:
        IndexReadError: A part cannot be read, or an image has two usable rows.
    """
    with open_index(index) as opened:
        context = question.context(opened.in_sql)
        if statistics_of(question.rules) or PLACE & {name.lower() for name in opened.in_sql}:
            # Rows of joined tables have no place, and a column with the name of a place would hide it.
            table = _fetch(opened, statement_for(question, context, label=index.label))
            return _answers(table, _identity(table, index), question)
        sizes = [pq.read_metadata(part).num_rows for part in opened.parts]

        def in_order(columns: Iterable[Sql]) -> pa.Table:
            return _in_order(opened.fetch(select([*columns, PLACE_COLUMNS], seen=SEEN_WITH_PLACE)), sizes)

        identity = _kept(index, lambda: _identity(in_order(identity_columns(context, label=index.label)), index))
        return _answers(in_order(verdict_columns(question, context)), identity, question)


def statement_of(index: Index, question: Question) -> Sql:
    """Return the statement that answers a question, without its first parameter, the index's parts.

    `run_query` splits it in two where it can keep the half that does not depend on the question.

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
    return _count(index, SqlContext(fields, {}), lambda field: f"COUNT(*) FILTER (WHERE {field.is_present})")


def count_known(index: Index, fields: Mapping[str, Bound], plausibility: Plausibility) -> dict[str, int]:
    """Return how many readable images have a value of each field that is not in doubt.

    Raises:
        IndexReadError: A part cannot be read.
    """
    context = SqlContext(fields, {}, plausibility=plausibility)
    return _count(index, context, lambda field: f"COUNT({field.stored})")


def _count(index: Index, context: SqlContext, counted: Callable[[FieldSql], str]) -> dict[str, int]:
    with open_index(index) as opened:
        context, readable = replace(context, in_sql=opened.in_sql), Sql(*usable_sql())
        selected = ", ".join(["COUNT(*)", *(counted(context.field(Field(name))) for name in context.bound)])
        text = f"WITH {SEEN} SELECT {selected} FROM seen WHERE {readable.text}"  # noqa: S608 - quoted names
        row = opened.connection.execute(text, [opened.parts, *readable.parameters]).fetchone() or ()
    return dict(zip(("", *context.bound), row, strict=True))


def _fetch(opened: OpenIndex, statement: Statement) -> pa.Table:
    """Register the computed tables of a statement, then execute it."""
    for table in statement.computed:
        rows = opened.fetch(Sql(f"WITH {SEEN} {table.rows.text}", table.rows.parameters))
        opened.connection.register(table.name, table.compute(rows))
    return opened.fetch(statement.sql)


def _in_order(table: pa.Table, sizes: Sequence[int]) -> pa.Table:
    """Sort rows as they are in the parts: a database promises no order once it joins, as it does for `IN`."""
    starts = np.cumsum([0, *sizes[:-1]])
    places = starts[table["part"].to_numpy()] + table["place"].to_numpy().astype(np.int64)
    if bool((places[1:] > places[:-1]).all()):
        return table.drop_columns(["part", "place"])
    order = np.empty(len(places), dtype=np.int64)
    order[places] = np.arange(len(places))
    return table.drop_columns(["part", "place"]).take(pa.array(order))


# The identity of the last index that was queried: it is most of the cost of a query, and the same for all of them.
_KEPT: dict[tuple[object, ...], Identity] = {}


def _kept(index: Index, read: Callable[[], Identity]) -> Identity:
    """Return the identity of an index's rows, read once while the files of its parts do not change."""
    states = [(str(part), part.stat().st_size, part.stat().st_mtime_ns) for part in index.parts]
    key = (str(index.directory.resolve()), index.digest, index.label, *states)
    if key not in _KEPT:
        found = read()
        _KEPT.clear()
        _KEPT[key] = found
    return _KEPT[key]


def _identity(table: pa.Table, index: Index) -> Identity:
    identity = Identity(
        image=CategoricalColumn.of(table["image"]),
        units={unit: CategoricalColumn.of(table[unit]) for unit in UNITS},
        label=CategoricalColumn.of(table["label"]) if "label" in table.column_names else None,
        readable=Verdict.of(table["readable"]).true,
        faults=CategoricalColumn.of(table["faults"]),
    )
    _check_unique(identity, index)
    return identity


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


def _check_unique(identity: Identity, index: Index) -> None:
    images = int(identity.readable.sum())
    distinct = identity.image.distinct(identity.readable)
    if distinct < images:
        raise IndexReadError(
            f"{index.directory}: expected one row per image, got {counted(images, 'row')} of "
            f"{counted(distinct, 'image')}, so an image could be in two parts of the cohort. Build the index again."
        )
