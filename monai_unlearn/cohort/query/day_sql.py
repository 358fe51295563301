"""Conditions on dates as DuckDB conditions: on a shortened date, a condition must hold for every day that it may be.

`201812` is any day of December 2018. A condition is true where it holds for each of them, false where it holds for
none, and otherwise unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.term import Field, Term
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.query.term_sql import term_sql

if TYPE_CHECKING:
    from collections.abc import Callable


def on_days(
    term: Term, context: SqlContext, condition: Callable[[str], Sql], *, each: Callable[[str], Sql] | None = None
) -> Sql:
    """Return a condition on a term that may be a shortened date.

    Args:
        term: Any term; only a field of dates may be shortened.
        context: What its fields are in the query.
        condition: Returns the condition on one value, given its expression; not unknown on a day.
        each: The same for one of several days, where it must be written differently.
    """
    one = condition(term_sql(term, context))
    if not isinstance(term, Field) or not context.field(term).may_be_shortened:
        return one
    first, last = context.field(term).first_day, context.field(term).last_day
    several = (each or condition)(f"({first} + CAST(day AS INTEGER))")
    days = f"LIST_TRANSFORM(RANGE(0, {last} - {first} + 1), lambda day: {several.text})"
    agreed = f"LIST_REDUCE({days}, lambda one, other: CASE WHEN one = other THEN one END)"
    # Few rows have a shortened date, and finding its days takes longer than all else: no other row is asked for them.
    is_shortened = f"CASE WHEN {context.field(term).has_shortened} THEN {first} < {last} END"
    text = f"CASE WHEN {is_shortened} THEN {agreed} ELSE {one.text} END"
    return Sql(text, (*several.parameters, *one.parameters))


def days_between(term: Term, anchor: Field, context: SqlContext, before: int, after: int) -> Sql:
    """Return the condition that one date lies at most so many days before or after another of the same image.

    Args:
        term: The date.
        anchor: The other date.
        context: What both are in the query.
        before: The smallest difference in days, at most 0.
        after: The largest difference in days, at least 0.
    """
    date = context.field(term) if isinstance(term, Field) else None
    other = context.field(anchor)
    if date is None or not (date.may_be_shortened or other.may_be_shortened):
        return Sql(f"{term_sql(term, context)} - {other.value} BETWEEN {before} AND {after}")
    least, most = f"({date.first_day} - {other.last_day})", f"({date.last_day} - {other.first_day})"
    return Sql(
        f"CASE WHEN {least} >= {before} AND {most} <= {after} THEN TRUE "
        f"WHEN {most} < {before} OR {least} > {after} THEN FALSE END"
    )
