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
    Like,
    Matches,
    Operator,
    Within,
)
from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.node import Reference
from monai_unlearn.cohort.language.predicate import Exists, Missing, Predicate
from monai_unlearn.cohort.language.term import Each, Field
from monai_unlearn.cohort.query.day_sql import days_between
from monai_unlearn.cohort.query.several_sql import on_values
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.query.text_sql import TextTerm, comparands, in_natural_order, is_whole
from monai_unlearn.cohort.typing.term_type import TermType
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.folding import letters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.cohort.query.text_sql import Form
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
    if wanted.kind is Kind.TEXT:
        return _text_comparison(node, context)
    (value,) = context.values(node.value, wanted)
    operator = _OPERATORS.get(node.operator, node.operator.value)
    if node.operator is Operator.UNEQUAL and not isinstance(node.term, Each):
        return _negated(on_values(node.term, context, lambda x: Sql(f"{x} = ?", (value,))))
    return on_values(node.term, context, lambda x: Sql(f"{x} {operator} ?", (value,)))


def _text_comparison(node: Comparison, context: SqlContext) -> Sql:
    text, ((value, form),) = TextTerm(node.term, context), comparands(node.term, node.value, context)
    if node.operator.orders:
        return _ordered(text, ((node.operator.value, value),))
    if node.operator is Operator.SAME:
        return text.condition(lambda x: Sql(f"LOWER({form(x)}) = LOWER(?)", (value,)), value)
    if node.operator is Operator.UNEQUAL and isinstance(node.term, Each):
        return text.condition(lambda x: Sql(f"{form(x)} <> ?", (value,)), value)
    equal = text.condition(lambda x: Sql(f"{form(x)} = ?", (value,)), value)
    # `!=` negates `==`, also for multi-valued tags.
    return equal if node.operator is Operator.EQUAL else _negated(equal)


def _ordered(text: TextTerm, limits: Sequence[tuple[str, str]]) -> Sql:
    """Return the condition that a text lies within limits, each an operator with a value, in their natural order."""
    if text.is_made:
        limited = " AND ".join(f"{{x}} {operator} ?" for operator, _ in limits)
        return text.condition(lambda x: Sql(limited.format(x=x), tuple(value for _, value in limits)))
    return text.condition(lambda x: in_natural_order(x, limits))


@to_sql.register(In)
def _in(node: In, context: SqlContext) -> Sql:
    wanted = context.type_of(node.term)
    sets = (node.values,) if isinstance(node.values, Reference) else node.values
    if wanted.kind is not Kind.TEXT:
        typed = [value for part in sets for value in context.values(part, wanted)]
        return on_values(node.term, context, lambda x: _in_list(x, typed), each=lambda x: _part_in(x, typed))
    # The values that are compared in one form, apart from those that are compared with the whole of several texts.
    groups: dict[tuple[bool, Form], list[TypedValue]] = {}
    for value, form in (pair for part in sets for pair in comparands(node.term, part, context)):
        groups.setdefault((is_whole(value, node.term), form), []).append(value)
    text = TextTerm(node.term, context)
    conditions = [_among(text, form, values) for (_, form), values in groups.items()]
    return conditions[0] if len(conditions) == 1 else _join("OR", conditions)


def _among(text: TextTerm, form: Form, values: list[TypedValue]) -> Sql:
    return text.condition(
        lambda x: _in_list(form(x), values),
        values[0],
        each=lambda x: _part_in(form(x), values),
    )


def _in_list(expression: str, values: list[TypedValue]) -> Sql:
    return Sql(f"{expression} IN (SELECT UNNEST(?))", (values,))


def _part_in(expression: str, values: list[TypedValue]) -> Sql:
    return Sql(f"LIST_CONTAINS(?, {expression})", (values,))  # a lambda cannot hold a subquery


@to_sql.register(Between)
def _between(node: Between, context: SqlContext) -> Sql:
    wanted = context.type_of(node.term)
    limits = tuple(value for limit in (node.low, node.high) for value in context.values(limit, wanted))
    if wanted.kind is Kind.TEXT:
        return _ordered(TextTerm(node.term, context), list(zip((">=", "<="), map(str, limits), strict=True)))
    return on_values(node.term, context, lambda x: Sql(f"{x} BETWEEN ? AND ?", limits))


@to_sql.register(Contains)
def _contains(node: Contains, context: SqlContext) -> Sql:
    ((value, form),) = comparands(node.term, node.value, context)
    return TextTerm(node.term, context).condition(lambda x: Sql(f"CONTAINS({form(x)}, ?)", (value,)), value)


@to_sql.register(Like)
def _like(node: Like, context: SqlContext) -> Sql:
    ((value, _),) = comparands(node.term, node.value, context)
    return TextTerm(node.term, context).condition(lambda x: Sql(f"letters({x}) = ?", (letters(value),)), value)


@to_sql.register(Matches)
def _matches(node: Matches, context: SqlContext) -> Sql:
    option = "i" if node.ignore_case else "c"
    return TextTerm(node.term, context).condition(lambda x: Sql(f"REGEXP_MATCHES({x}, ?, '{option}')", (node.pattern,)))


@to_sql.register(Within)
def _within(node: Within, context: SqlContext) -> Sql:
    before, after = (sign * node.days for sign in _WINDOWS[node.direction])
    if isinstance(node.anchor, Field):
        other = context.expression(node.anchor)
        one = days_between(node.term, node.anchor, context, before, after)
        return on_values(node.term, context, lambda x: Sql(f"{x} - {other} BETWEEN {before} AND {after}"), one=one)
    anchors = list(context.values(node.anchor, TermType(Kind.DATE)))

    def in_a_window(date: str) -> Sql:
        windows = f"LIST_TRANSFORM(?, lambda anchor: {date} - anchor BETWEEN {before} AND {after})"
        return Sql(f"LIST_BOOL_OR({windows})", (anchors,))

    return on_values(node.term, context, in_a_window)


@to_sql.register(Exists)
def _exists(node: Exists, context: SqlContext) -> Sql:
    return Sql(f"({context.field(node.field).is_present}) IS TRUE")


@to_sql.register(Missing)
def _missing(node: Missing, context: SqlContext) -> Sql:
    return Sql(f"({context.field(node.field).is_present}) IS NOT TRUE")


@to_sql.register(Not)
def _not(node: Not, context: SqlContext) -> Sql:
    return _negated(to_sql(node.operand, context))


@to_sql.register(And)
def _and(node: And, context: SqlContext) -> Sql:
    return _join("AND", [to_sql(operand, context) for operand in node.operands])


@to_sql.register(Or)
def _or(node: Or, context: SqlContext) -> Sql:
    return _join("OR", [to_sql(operand, context) for operand in node.operands])


def _negated(condition: Sql) -> Sql:
    return Sql(f"NOT ({condition.text})", condition.parameters)


def _join(word: str, parts: Sequence[Sql]) -> Sql:
    text = f" {word} ".join(f"({part.text})" for part in parts)
    return Sql(text, tuple(parameter for part in parts for parameter in part.parameters))
