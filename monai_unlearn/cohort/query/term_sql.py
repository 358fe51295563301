"""Numbers made of fields, as DuckDB expressions, without any text of an author's: names are quoted, numbers checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.functions.function import finite
from monai_unlearn.cohort.language.term import Arithmetic, Call, Each, Field, Negative, Number, Term
from monai_unlearn.cohort.typing.term_type import TermType, common_type, conversion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.cohort.query.sql import SqlContext


def term_sql(term: Term, names: SqlContext) -> str:
    """Return the expression of a term's value; NULL where it has none.

    Raises:
        NotImplementedError: A new kind of term has no SQL yet.
    """
    if isinstance(term, Field):
        return names.expression(term)
    if isinstance(term, Each):
        return names.expression(term.field)
    if isinstance(term, Number):
        return f"CAST({float(term.text)!r} AS DOUBLE)"
    if isinstance(term, Negative):
        return f"-({term_sql(term.operand, names)})"
    if isinstance(term, Arithmetic):
        return _arithmetic(term, names)
    if isinstance(term, Call):
        return names.statistics[term] if term.is_statistic else _call(term, names)
    raise NotImplementedError(type(term).__name__)


def argument_sql(term: Call, names: SqlContext) -> list[str]:
    """Return the expressions of a call's arguments, in one unit where the function keeps it."""
    whole = common_type(term.arguments, names.bound) if FUNCTIONS[term.function].keeps_unit else None
    return [_converted(argument, whole, names) for argument in term.arguments]


def _arithmetic(term: Arithmetic, names: SqlContext) -> str:
    whole = common_type((term.left, term.right), names.bound) if term.sign.adds else None
    left, right = (_converted(side, whole, names) for side in (term.left, term.right))
    return finite(f"({left}) {term.sign.value} ({right})")


def _call(term: Call, names: SqlContext) -> str:
    function = FUNCTIONS[term.function]
    if function.sql is None:
        raise NotImplementedError(term.function)
    arguments: Sequence[str] = argument_sql(term, names)
    return finite(function.sql(arguments))


def _converted(term: Term, whole: TermType | None, names: SqlContext) -> str:
    factor = conversion(term, whole, names.bound)
    text = term_sql(term, names)
    return text if factor == 1 else finite(f"({text}) * CAST({factor!r} AS DOUBLE)")
