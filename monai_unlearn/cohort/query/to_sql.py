"""Predicates as DuckDB conditions. Values are always passed as parameters; names are always quoted identifiers.

SQL has Kleene's three-valued logic, so unknown needs no code here: a comparison with NULL is NULL, and AND, OR and
NOT propagate it.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import (
    Between,
    Comparison,
    Contains,
    Direction,
    In,
    Matches,
    Operator,
    Within,
)
from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.node import Reference
from monai_unlearn.cohort.language.predicate import Exists, Missing, Predicate
from monai_unlearn.cohort.language.term import Each, Field, Quantifier, Term
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.query.term_sql import term_sql
from monai_unlearn.cohort.typing.term_type import TermType
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monai_unlearn.cohort.typing.values import TypedValue

_OPERATORS = {Operator.EQUAL: "=", Operator.UNEQUAL: "<>"}
_WINDOWS = {Direction.OF: (-1, 1), Direction.BEFORE: (-1, 0), Direction.AFTER: (0, 1)}


@singledispatch
def to_sql(node: Predicate, context: SqlContext) -> Sql:
    """Return a predicate as an SQL condition.

    Raises:
        NotImplementedError: No handler is registered for this type of node.
    """
    raise NotImplementedError(type(node).__name__)


@to_sql.register(Comparison)
def _comparison(node: Comparison, context: SqlContext) -> Sql:
    wanted = context.type_of(node.term)
    (value,) = context.values(node.value, wanted)
    if wanted.kind is not Kind.TEXT:
        operator = _OPERATORS.get(node.operator, node.operator.value)
        return Sql(f"{term_sql(node.term, context)} {operator} ?", (value,))
    if node.operator is Operator.SAME:
        return _text(node.term, context, lambda x: Sql(f"LOWER({x}) = LOWER(?)", (value,)), value)
    if node.operator is Operator.UNEQUAL and isinstance(node.term, Each):
        return _text(node.term, context, lambda x: Sql(f"{x} <> ?", (value,)), value)
    equal = _text(node.term, context, lambda x: Sql(f"{x} = ?", (value,)), value)
    # `!=` negates `==`, also for multi-valued tags.
    return equal if node.operator is Operator.EQUAL else Sql(f"NOT ({equal.text})", equal.parameters)


@to_sql.register(In)
def _in(node: In, context: SqlContext) -> Sql:
    wanted = context.type_of(node.term)
    sets = (node.values,) if isinstance(node.values, Reference) else node.values
    values = [value for part in sets for value in context.values(part, wanted)]
    if wanted.kind is not Kind.TEXT:
        return _in_list(term_sql(node.term, context), values)
    whole = [value for value in values if _is_whole(value, node.term)]
    single = [value for value in values if not _is_whole(value, node.term)]
    conditions = [
        *([_in_list(term_sql(node.term, context), whole)] if whole else []),
        *(
            [_text(node.term, context, lambda x: _in_list(x, single), each=lambda x: _part_in(x, single))]
            if single
            else []
        ),
    ]
    return conditions[0] if len(conditions) == 1 else _join("OR", conditions)


def _in_list(expression: str, values: list[TypedValue]) -> Sql:
    return Sql(f"{expression} IN (SELECT UNNEST(?))", (values,))


def _part_in(expression: str, values: list[TypedValue]) -> Sql:
    return Sql(f"LIST_CONTAINS(?, {expression})", (values,))  # a lambda cannot hold a subquery


@to_sql.register(Between)
def _between(node: Between, context: SqlContext) -> Sql:
    wanted = context.type_of(node.term)
    limits = tuple(value for limit in (node.low, node.high) for value in context.values(limit, wanted))
    return Sql(f"{term_sql(node.term, context)} BETWEEN ? AND ?", limits)


@to_sql.register(Contains)
def _contains(node: Contains, context: SqlContext) -> Sql:
    return _text(node.term, context, lambda x: Sql(f"CONTAINS({x}, ?)", (node.value.text,)), node.value.text)


@to_sql.register(Matches)
def _matches(node: Matches, context: SqlContext) -> Sql:
    option = "i" if node.ignore_case else "c"
    return _text(node.term, context, lambda x: Sql(f"REGEXP_MATCHES({x}, ?, '{option}')", (node.pattern,)))


@to_sql.register(Within)
def _within(node: Within, context: SqlContext) -> Sql:
    date = term_sql(node.term, context)
    before, after = (sign * node.days for sign in _WINDOWS[node.direction])
    if isinstance(node.anchor, Field):
        return Sql(f"{date} - {context.expression(node.anchor)} BETWEEN {before} AND {after}")
    anchors = list(context.values(node.anchor, TermType(Kind.DATE)))
    windows = f"LIST_TRANSFORM(?, lambda anchor: {date} - anchor BETWEEN {before} AND {after})"
    return Sql(f"LIST_BOOL_OR({windows})", (anchors,))


@to_sql.register(Exists)
def _exists(node: Exists, context: SqlContext) -> Sql:
    return Sql(f"{context.expression(node.field)} IS NOT NULL")


@to_sql.register(Missing)
def _missing(node: Missing, context: SqlContext) -> Sql:
    return Sql(f"{context.expression(node.field)} IS NULL")


@to_sql.register(Not)
def _not(node: Not, context: SqlContext) -> Sql:
    operand = to_sql(node.operand, context)
    return Sql(f"NOT ({operand.text})", operand.parameters)


@to_sql.register(And)
def _and(node: And, context: SqlContext) -> Sql:
    return _join("AND", [to_sql(operand, context) for operand in node.operands])


@to_sql.register(Or)
def _or(node: Or, context: SqlContext) -> Sql:
    return _join("OR", [to_sql(operand, context) for operand in node.operands])


def _join(word: str, parts: Sequence[Sql]) -> Sql:
    text = f" {word} ".join(f"({part.text})" for part in parts)
    return Sql(text, tuple(parameter for part in parts for parameter in part.parameters))


def _text(
    term: Term,
    context: SqlContext,
    condition: Callable[[str], Sql],
    value: TypedValue = "",
    *,
    each: Callable[[str], Sql] | None = None,
) -> Sql:
    r"""Return a condition on a text that, in DICOM, may be several texts joined by backslashes.

    It holds if it holds for one of them or, with `all(…)`, for all of them. A value that contains a backslash itself
    is compared with the whole text.

    Args:
        term: A field, or `any(field)`, or `all(field)`.
        context: What its field is in the query.
        condition: Returns the condition on one text, given its expression.
        value: The value that the text is compared with.
        each: The same for one of several texts, where it must be written differently.
    """
    expression = term_sql(term, context)
    one = condition(expression)
    if not context.type_of(term).many or _is_whole(value, term):
        return one
    several = (each or condition)("part")
    fold = "LIST_BOOL_AND" if isinstance(term, Each) and term.quantifier is Quantifier.ALL else "LIST_BOOL_OR"
    parts = f"LIST_FILTER(STRING_SPLIT({expression}, '\\'), lambda part: part <> '')"
    folded = f"{fold}(LIST_TRANSFORM({parts}, lambda part: {several.text}))"
    text = f"CASE WHEN CONTAINS({expression}, '\\') THEN {folded} ELSE {one.text} END"
    return Sql(text, (*several.parameters, *one.parameters))


def _is_whole(value: TypedValue, term: Term) -> bool:
    return isinstance(value, str) and "\\" in value and not isinstance(term, Each)
