"""Predicates as DuckDB conditions. Values are only ever parameters, names only ever quoted identifiers.

SQL's own three values are Kleene's, so that unknown needs no code here: a comparison with NULL is NULL,
and AND, OR and NOT pass it on as they should.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.node import Reference
from monai_unlearn.cohort.language.predicate import (
    And,
    Between,
    Comparison,
    Contains,
    Direction,
    Exists,
    In,
    Matches,
    Missing,
    Not,
    Operator,
    Or,
    Predicate,
    Within,
)
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
def to_sql(node: Predicate, names: SqlContext) -> Sql:
    """Return a predicate as a condition.

    Raises:
        NotImplementedError: A new kind of node has no SQL yet.
    """
    raise NotImplementedError(type(node).__name__)


@to_sql.register
def _(node: Comparison, names: SqlContext) -> Sql:
    wanted = names.type_of(node.term)
    (value,) = names.values(node.value, wanted)
    if wanted.kind is not Kind.TEXT:
        operator = _OPERATORS.get(node.operator, node.operator.value)
        return Sql(f"{term_sql(node.term, names)} {operator} ?", (value,))
    if node.operator is Operator.SAME:
        return of_text(node.term, names, lambda x: Sql(f"LOWER({x}) = LOWER(?)", (value,)), value)
    if node.operator is Operator.UNEQUAL and isinstance(node.term, Each):
        return of_text(node.term, names, lambda x: Sql(f"{x} <> ?", (value,)), value)
    equal = of_text(node.term, names, lambda x: Sql(f"{x} = ?", (value,)), value)
    # Of several values none may be the one: `!=` is always what `==` is not.
    return equal if node.operator is Operator.EQUAL else Sql(f"NOT ({equal.text})", equal.parameters)


@to_sql.register
def _(node: In, names: SqlContext) -> Sql:
    wanted = names.type_of(node.term)
    sets = (node.values,) if isinstance(node.values, Reference) else node.values
    values = [value for part in sets for value in names.values(part, wanted)]
    if wanted.kind is not Kind.TEXT:
        return _in_list(term_sql(node.term, names), values)
    whole = [value for value in values if _is_whole(value, node.term)]
    single = [value for value in values if not _is_whole(value, node.term)]
    tests = [
        *([_in_list(term_sql(node.term, names), whole)] if whole else []),
        *(
            [of_text(node.term, names, lambda x: _in_list(x, single), each=lambda x: _part_in(x, single))]
            if single
            else []
        ),
    ]
    return tests[0] if len(tests) == 1 else _join("OR", tests)


def _in_list(expression: str, values: list[TypedValue]) -> Sql:
    return Sql(f"{expression} IN (SELECT UNNEST(?))", (values,))


def _part_in(expression: str, values: list[TypedValue]) -> Sql:
    return Sql(f"LIST_CONTAINS(?, {expression})", (values,))  # a lambda takes no subquery


@to_sql.register
def _(node: Between, names: SqlContext) -> Sql:
    wanted = names.type_of(node.term)
    limits = tuple(value for limit in (node.low, node.high) for value in names.values(limit, wanted))
    return Sql(f"{term_sql(node.term, names)} BETWEEN ? AND ?", limits)


@to_sql.register
def _(node: Contains, names: SqlContext) -> Sql:
    return of_text(node.term, names, lambda x: Sql(f"CONTAINS({x}, ?)", (node.value.text,)), node.value.text)


@to_sql.register
def _(node: Matches, names: SqlContext) -> Sql:
    option = "i" if node.ignore_case else "c"
    return of_text(node.term, names, lambda x: Sql(f"REGEXP_MATCHES({x}, ?, '{option}')", (node.pattern,)))


@to_sql.register
def _(node: Within, names: SqlContext) -> Sql:
    date = term_sql(node.term, names)
    before, after = (sign * node.days for sign in _WINDOWS[node.direction])
    if isinstance(node.anchor, Field):
        return Sql(f"{date} - {names.expression(node.anchor)} BETWEEN {before} AND {after}")
    anchors = list(names.values(node.anchor, TermType(Kind.DATE)))
    windows = f"LIST_TRANSFORM(?, lambda anchor: {date} - anchor BETWEEN {before} AND {after})"
    return Sql(f"LIST_BOOL_OR({windows})", (anchors,))


@to_sql.register
def _(node: Exists, names: SqlContext) -> Sql:
    return Sql(f"{names.expression(node.field)} IS NOT NULL")


@to_sql.register
def _(node: Missing, names: SqlContext) -> Sql:
    return Sql(f"{names.expression(node.field)} IS NULL")


@to_sql.register
def _(node: Not, names: SqlContext) -> Sql:
    operand = to_sql(node.operand, names)
    return Sql(f"NOT ({operand.text})", operand.parameters)


@to_sql.register
def _(node: And, names: SqlContext) -> Sql:
    return _join("AND", [to_sql(operand, names) for operand in node.operands])


@to_sql.register
def _(node: Or, names: SqlContext) -> Sql:
    return _join("OR", [to_sql(operand, names) for operand in node.operands])


def _join(word: str, parts: Sequence[Sql]) -> Sql:
    text = f" {word} ".join(f"({part.text})" for part in parts)
    return Sql(text, tuple(parameter for part in parts for parameter in part.parameters))


def of_text(
    term: Term,
    names: SqlContext,
    test: Callable[[str], Sql],
    value: TypedValue = "",
    *,
    each: Callable[[str], Sql] | None = None,
) -> Sql:
    r"""Return a test of a text which, in DICOM, may be several texts joined by backslashes.

    Without `all(…)` it is enough that one of them passes. A value that has a backslash itself is compared with
    the whole text.

    Args:
        term: A field, or `any(field)`, or `all(field)`.
        names: What the field stands for.
        test: Makes the test of one text.
        value: What the text is compared with.
        each: The test of one of several texts, where that must be written differently.
    """
    expression = term_sql(term, names)
    one = test(expression)
    if not names.type_of(term).many or _is_whole(value, term):
        return one
    several = (each or test)("part")
    fold = "LIST_BOOL_AND" if isinstance(term, Each) and term.quantifier is Quantifier.ALL else "LIST_BOOL_OR"
    parts = f"LIST_FILTER(STRING_SPLIT({expression}, '\\'), lambda part: part <> '')"
    folded = f"{fold}(LIST_TRANSFORM({parts}, lambda part: {several.text}))"
    text = f"CASE WHEN CONTAINS({expression}, '\\') THEN {folded} ELSE {one.text} END"
    return Sql(text, (*several.parameters, *one.parameters))


def _is_whole(value: TypedValue, term: Term) -> bool:
    return isinstance(value, str) and "\\" in value and not isinstance(term, Each)
