"""Terms as DuckDB expressions. They contain no text of an author's: names are quoted, numbers parsed."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.functions.function import finite
from monai_unlearn.cohort.language.term import Arithmetic, Call, Each, Field, Negative, Number, Term
from monai_unlearn.cohort.typing.term_type import TermType, common_type, conversion
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from monai_unlearn.cohort.query.sql import SqlContext


@singledispatch
def term_sql(term: Term, context: SqlContext) -> str:
    """Return the SQL expression of a term; NULL where the term is missing.

    Raises:
        NotImplementedError: No handler is registered for this type of node.
    """
    raise NotImplementedError(type(term).__name__)


@term_sql.register(Field)
def _field(term: Field, context: SqlContext) -> str:
    return context.expression(term)


@term_sql.register(Each)
def _each(term: Each, context: SqlContext) -> str:
    return context.expression(term.field)


@term_sql.register(Number)
def _number(term: Number, context: SqlContext) -> str:  # noqa: ARG001 - a number is the same in every context
    return f"CAST({float(term.text)!r} AS DOUBLE)"


@term_sql.register(Negative)
def _negative(term: Negative, context: SqlContext) -> str:
    return f"-({term_sql(term.operand, context)})"


@term_sql.register(Arithmetic)
def _arithmetic(term: Arithmetic, context: SqlContext) -> str:
    common = common_type((term.left, term.right), context.bound) if term.sign.adds else None
    left, right = (_converted(side, common, context) for side in (term.left, term.right))
    return finite(f"({left}) {term.sign.value} ({right})")


@term_sql.register(Call)
def _call(term: Call, context: SqlContext) -> str:
    if term.is_statistic:
        return context.statistics[term]
    function = FUNCTIONS[term.function]
    if function.sql is None:
        raise NotImplementedError(term.function)
    result = function.sql(argument_sql(term, context))
    if function.takes is Kind.TEXT:
        return result
    first = finite(result)
    date = next((item for item in term.arguments if isinstance(item, Field)), None)
    if function.takes is not Kind.DATE or date is None or not context.field(date).may_be_shortened:
        return first
    # A shortened date has a year, or a month, where all its days have it.
    first, last = (finite(function.sql([day])) for day in (context.field(date).first_day, context.field(date).last_day))
    return f"CASE WHEN {first} = {last} THEN {first} END"


def argument_sql(term: Call, context: SqlContext) -> list[str]:
    """Return the SQL expressions of a call's arguments, in one unit where the function keeps it."""
    common = common_type(term.arguments, context.bound) if FUNCTIONS[term.function].keeps_unit else None
    return [_converted(argument, common, context) for argument in term.arguments]


def _converted(term: Term, target: TermType | None, context: SqlContext) -> str:
    factor = conversion(term, target, context.bound)
    text = term_sql(term, context)
    return text if factor == 1 else finite(f"({text}) * CAST({factor!r} AS DOUBLE)")
