"""The parts that a statement is made of: text with its parameters, and what names and values stand for in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.typing.term_type import TermType, type_of
from monai_unlearn.cohort.typing.values import TypedValue, coerce
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.language.term import Call, Field, Term
    from monai_unlearn.cohort.typing.bound import Bound

Parameter = TypedValue | list[TypedValue]


@dataclass(frozen=True)
class Sql:
    """A condition with its parameters, in the order of its question marks."""

    text: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True)
class SqlContext:
    """What the names in a predicate stand for in one query.

    Attributes:
        bound: The columns of each field.
        in_sql: What DuckDB calls each column.
        value_sets: The values behind each `@name`.
        statistics: The expression of each cohort statistic.
    """

    bound: Mapping[str, Bound]
    in_sql: Mapping[str, str]
    value_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    statistics: Mapping[Call, str] = field(default_factory=dict)

    def expression(self, field: Field) -> str:
        """Return a field's value: that of the first of its columns which has one."""
        columns = [self._column(name, kind) for name, kind in self.bound[field.name].columns]
        return columns[0] if len(columns) == 1 else f"COALESCE({', '.join(columns)})"

    def type_of(self, term: Term) -> TermType:
        """Return a term's type, which binding has found to be one."""
        found = type_of(term, self.bound)
        if found is None:
            raise AssertionError("a bound term has a type")
        return found

    def values(self, value: Value | Reference, wanted: TermType) -> tuple[TypedValue, ...]:
        """Return what a value or a value set means to a term of a type."""
        texts = self.value_sets[value.name] if isinstance(value, Reference) else (value.text,)
        return tuple(coerce(text, wanted) for text in texts)

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
