"""SQL text with its parameters, and the context that says what fields, values and statistics are in a query."""

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
    from monai_unlearn.cohort.typing.columns import Bound

Parameter = TypedValue | list[TypedValue]


@dataclass(frozen=True)
class Sql:
    """SQL text with its parameters, in the order of its question marks."""

    text: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True)
class SqlContext:
    """What the names in a predicate are in one query.

    Attributes:
        bound: The columns of each field.
        in_sql: DuckDB's name for each column.
        value_sets: The values behind each `@name`.
        statistics: The SQL expression of each cohort statistic.
    """

    bound: Mapping[str, Bound]
    in_sql: Mapping[str, str]
    value_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    statistics: Mapping[Call, str] = field(default_factory=dict)

    def expression(self, field: Field) -> str:
        """Return the SQL expression of a field: the value of the first of its columns that has one."""
        stored = self.stored(field)
        return f"COALESCE({stored}, '')" if self.bound[field.name].complete else stored

    def stored(self, field: Field) -> str:
        """Return the same, NULL also where an image has no value because there is none."""
        return self._value(self.bound[field.name])

    def _value(self, bound: Bound) -> str:
        columns = [self._column(name, kind) for name, kind in bound.columns]
        if bound.between is not None:
            columns.append(f"age_at({', '.join(map(self._value, bound.between))})")
        return columns[0] if len(columns) == 1 else f"COALESCE({', '.join(columns)})"

    def type_of(self, term: Term) -> TermType:
        """Return the type of a term, which binding has checked."""
        found = type_of(term, self.bound)
        if found is None:
            raise AssertionError("a bound term has a type")
        return found

    def values(self, value: Value | Reference, wanted: TermType) -> tuple[TypedValue, ...]:
        """Return a value, or the values of a value set, coerced to the type of a term."""
        texts = self.value_sets[value.name] if isinstance(value, Reference) else (value.text,)
        return tuple(coerce(text, wanted) for text in texts)

    def _column(self, name: str, kind: Kind) -> str:
        column = quoted(self.in_sql[name])
        if kind is Kind.TEXT:
            return f"NULLIF({column}, '')"  # an empty tag is a missing value
        if kind in {Kind.DATE, Kind.DATETIME}:
            return f"CAST({column} AS DATE)"
        # NaN is a missing value; for DuckDB it equals itself and is larger than every number.
        return f"NULLIF(CAST({column} AS DOUBLE), CAST('NaN' AS DOUBLE))"


# An age as PatientAge has it: in completed years, below two years in completed months. Unknown before birth.
AGE_MACROS = (
    (
        "CREATE OR REPLACE TEMP MACRO months_between(born, day) AS 12 * (YEAR(day) - YEAR(born)) "
        "+ MONTH(day) - MONTH(born) - CAST(DAY(day) < DAY(born) AS INTEGER)"
    ),
    (
        "CREATE OR REPLACE TEMP MACRO age_at(born, day) AS CASE WHEN day < born THEN NULL "
        "WHEN months_between(born, day) < 24 THEN months_between(born, day) / 12 "
        "ELSE CAST(FLOOR(months_between(born, day) / 12) AS DOUBLE) END"
    ),
)


def quoted(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
