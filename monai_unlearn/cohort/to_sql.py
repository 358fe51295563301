"""Predicates as DuckDB conditions. Values are only ever parameters, names only ever quoted identifiers.

SQL's own three values are Kleene's, so that unknown needs no code here: a comparison with NULL is NULL,
and AND, OR and NOT pass it on as they should.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING

from monai_unlearn.cohort.predicate import And, Comparison, Exists, Field, In, Missing, Not, Operator, Or, Predicate
from monai_unlearn.cohort.values import TypedValue, typed
from monai_unlearn.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.cohort.bind import Bound

_OPERATORS = {Operator.EQUAL: "=", Operator.UNEQUAL: "<>"}


@dataclass(frozen=True)
class Sql:
    """A condition with its parameters, in the order of its question marks."""

    text: str
    parameters: tuple[TypedValue, ...] = ()


@dataclass(frozen=True)
class Names:
    """What the fields of a predicate are called in one query.

    Attributes:
        bound: The columns of each field.
        in_sql: What DuckDB calls each column.
    """

    bound: Mapping[str, Bound]
    in_sql: Mapping[str, str]

    def expression(self, field: Field) -> str:
        """Return a field's value: that of the first of its columns which has one."""
        columns = [self._column(name, kind) for name, kind in self.bound[field.name].columns]
        return columns[0] if len(columns) == 1 else f"COALESCE({', '.join(columns)})"

    def parameter(self, field: Field, text: str) -> TypedValue:
        """Return a value's text as the field's kind wants it."""
        return typed(text, self.bound[field.name].kind)

    def _column(self, name: str, kind: Kind) -> str:
        column = quoted(self.in_sql[name])
        if kind is Kind.TEXT:
            return f"NULLIF({column}, '')"  # an empty tag says nothing
        if kind in {Kind.DATE, Kind.DATETIME}:
            return f"CAST({column} AS DATE)"
        # DuckDB holds NaN equal to itself and above all else; it is no measurement.
        return f"NULLIF(CAST({column} AS DOUBLE), CAST('NaN' AS DOUBLE))"


def quoted(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@singledispatch
def to_sql(node: Predicate, names: Names) -> Sql:
    """Return a predicate as a condition.

    Raises:
        NotImplementedError: A new kind of node has no SQL yet.
    """
    raise NotImplementedError(type(node).__name__)


@to_sql.register
def _(node: Comparison, names: Names) -> Sql:
    operator = _OPERATORS.get(node.operator, node.operator.value)
    return Sql(f"{names.expression(node.field)} {operator} ?", (names.parameter(node.field, node.value.text),))


@to_sql.register
def _(node: In, names: Names) -> Sql:
    marks = ", ".join("?" * len(node.values))
    parameters = tuple(names.parameter(node.field, value.text) for value in node.values)
    return Sql(f"{names.expression(node.field)} IN ({marks})", parameters)


@to_sql.register
def _(node: Exists, names: Names) -> Sql:
    return Sql(f"{names.expression(node.field)} IS NOT NULL")


@to_sql.register
def _(node: Missing, names: Names) -> Sql:
    return Sql(f"{names.expression(node.field)} IS NULL")


@to_sql.register
def _(node: Not, names: Names) -> Sql:
    operand = to_sql(node.operand, names)
    return Sql(f"NOT ({operand.text})", operand.parameters)


@to_sql.register
def _(node: And, names: Names) -> Sql:
    return _joined("AND", node.operands, names)


@to_sql.register
def _(node: Or, names: Names) -> Sql:
    return _joined("OR", node.operands, names)


def _joined(word: str, operands: tuple[Predicate, ...], names: Names) -> Sql:
    parts = [to_sql(operand, names) for operand in operands]
    text = f" {word} ".join(f"({part.text})" for part in parts)
    return Sql(text, tuple(parameter for part in parts for parameter in part.parameters))
