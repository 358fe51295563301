"""SQL text with its parameters, and the context that says what fields, values and statistics are in a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.query.field_sql import FieldSql, Plausibility, quoted
from monai_unlearn.cohort.typing.term_type import TermType, type_of
from monai_unlearn.cohort.typing.values import TypedValue, coerce
from monai_unlearn.index.doubts import BETWEEN_VALUES, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.language.term import Call, Field, Term
    from monai_unlearn.cohort.typing.columns import Bound

__all__ = ["Parameter", "Sql", "SqlContext", "quoted"]

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
        plausibility: Which values count as true.
        statistics: The SQL expression of each cohort statistic.
    """

    bound: Mapping[str, Bound]
    in_sql: Mapping[str, str]
    value_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    plausibility: Plausibility = field(default_factory=Plausibility)
    statistics: Mapping[Call, str] = field(default_factory=dict)

    def field(self, field: Field) -> FieldSql:
        """Return the SQL of a field: its value, whether it is present, the days of a shortened date."""
        return FieldSql(self.bound[field.name], self.in_sql, self.plausibility)

    def expression(self, field: Field) -> str:
        """Return the SQL expression of a field: the value of the first of its columns that is present."""
        return self.field(field).value

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
# The different numbers or days of a tag of which an image has several, from the column `several_values`; else null.
_ENTRY = f"SPLIT_PART(SPLIT_PART('{SEPARATOR}' || entries, '{SEPARATOR}' || tag || '=', 2), '{SEPARATOR}', 1)"
_TEXTS = f"STRING_SPLIT(NULLIF({_ENTRY}, ''), '{BETWEEN_VALUES}')"
SEVERAL_MACROS = tuple(
    f"CREATE OR REPLACE TEMP MACRO {name}(entries, tag) AS LIST_TRANSFORM({_TEXTS}, lambda text: {value})"
    for name, value in (
        ("numbers_of", "CAST(text AS DOUBLE)"),
        ("days_of", "CAST(CAST(text AS TIMESTAMP) AS DATE)"),
    )
)
