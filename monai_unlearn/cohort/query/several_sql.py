"""Conditions on numbers and dates in SQL, of which an image may have several, as the frames of an enhanced object do.

They are asked as several texts are (`text_sql.py`): one value that meets the condition is enough, `!=` negates `==`,
and `any(…)` and `all(…)` say how many must meet it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.term import Each, Field, Quantifier, Term
from monai_unlearn.cohort.query.day_sql import on_days
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.query.term_sql import term_sql

if TYPE_CHECKING:
    from collections.abc import Callable


def on_values(
    term: Term,
    context: SqlContext,
    condition: Callable[[str], Sql],
    *,
    each: Callable[[str], Sql] | None = None,
    one: Sql | None = None,
) -> Sql:
    """Return a condition on a term of numbers or dates that one of its values meets, or with `all(…)` all of them.

    Args:
        term: Any term; only a field, `any(field)` or `all(field)` may be several values.
        context: What its fields are in the query.
        condition: Returns the condition on one value, given its expression; not unknown on a value.
        each: The same for one of several values, where it must be written differently.
        one: The condition on an image with one value, where it is not that on its days.
    """
    field = term.field if isinstance(term, Each) else term
    one = one or on_days(field, context, condition, each=each)
    several = context.field(field).several if isinstance(field, Field) else None
    if several is None:
        return one
    part = (each or condition)("part")
    fold = "LIST_BOOL_AND" if isinstance(term, Each) and term.quantifier is Quantifier.ALL else "LIST_BOOL_OR"
    met = f"{fold}(LIST_TRANSFORM({several}, lambda part: {part.text}))"
    return Sql(f"COALESCE({met}, {one.text})", (*part.parameters, *one.parameters))


def values_of(term: Term, context: SqlContext) -> str:
    """Return the SQL expression of the list of values that `on_values` compares one by one."""
    field = term.field if isinstance(term, Each) else term
    several = context.field(field).several if isinstance(field, Field) else None
    one = f"[{term_sql(term, context)}]"
    return one if several is None else f"COALESCE({several}, {one})"
