"""Fields as DuckDB expressions: the first tag that is present decides, and a value in doubt is unknown.

An index lists in three columns which tags of a row are invalid, shortened or placeholders (`index/doubts.py`). A tag
that is present and invalid makes the field unknown: the next tag of an alias is never used in its place. A shortened
date is an interval of days, from `first_day` to `last_day`. An implausible value is unknown unless the spec keeps it.
Of several numbers or dates `several` is the list, and the value is unknown: no condition silently takes one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import SEPARATOR, SEVERAL_VALUES
from monai_unlearn.index.plausible import EARLIEST, LATEST, OLDEST
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from monai_unlearn.cohort.typing.columns import Bound

_DATES = frozenset((Kind.DATE, Kind.DATETIME))


def quoted(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Plausibility:
    """Which values a query takes for true.

    Attributes:
        latest: The last day that a date of the index can have.
        keep: Whether implausible values count as what they say.
    """

    latest: dt.date = LATEST
    keep: bool = False


@dataclass(frozen=True)
class FieldSql:
    """The SQL of one field in one index.

    Attributes:
        bound: The columns of the field.
        in_sql: DuckDB's name for each column of the index.
        plausibility: Which values count as true.
    """

    bound: Bound
    in_sql: Mapping[str, str]
    plausibility: Plausibility

    @property
    def value(self) -> str:
        """The value that conditions are about; NULL where it is unknown."""
        return f"COALESCE({self.stored}, '')" if self.bound.complete else self.stored

    @property
    def stored(self) -> str:
        """The value of the first tag that is present; NULL where there is none, or it is in doubt."""
        return self._first_present(self._value, self._between)

    @property
    def is_present(self) -> str:
        """The condition that one of the tags is present, whether or not its value is valid."""
        conditions = [self._present(name, kind) for name, kind in self.bound.columns]
        if self.bound.between is not None:
            born, day = (date.is_present for date in self._dates(self.bound.between))
            conditions.append(f"(({born}) AND ({day}))")
        return " OR ".join(conditions)

    @property
    def may_be_shortened(self) -> bool:
        """Whether some of its values may be intervals of days."""
        return any(self._may_be_shortened(name, kind) for name, kind in self.bound.columns)

    @property
    def has_shortened(self) -> str:
        """The condition that an image has shortened dates, whichever tags they are of."""
        return f"{quoted(self.in_sql['partial'])} IS NOT NULL"

    @property
    def first_day(self) -> str:
        """The first day of a date; NULL where it is unknown."""
        return self._first_present(lambda name, kind: self._day(name, kind, group=1))

    @property
    def last_day(self) -> str:
        """The last day of a date, which differs from the first for a shortened one; NULL where it is unknown."""
        return self._first_present(lambda name, kind: self._day(name, kind, group=2))

    @property
    def several(self) -> str | None:
        """The list of the different numbers or dates of an image that has several, NULL for others; None for a text."""
        return self._first_present(self._several) if self._may_be_several else None

    @property
    def is_known(self) -> str:
        """The condition that the field has one value that is not in doubt, or several."""
        listed = [] if self.several is None else [f"({self.several}) IS NOT NULL"]
        return " OR ".join([f"({self.stored}) IS NOT NULL", *listed])

    @property
    def has_several(self) -> str:
        """The condition that the field has several values."""
        if self.several is not None:
            return f"({self.several}) IS NOT NULL"
        return f"CONTAINS({self.stored}, '{SEPARATOR}')" if self.bound.many else "FALSE"

    @property
    def _may_be_several(self) -> bool:
        return self.bound.many and self.bound.kind is not Kind.TEXT and SEVERAL_VALUES in self.in_sql

    @property
    def _between(self) -> str | None:
        """The time between two dates, for an age that no tag has; NULL where a date or the age is in doubt."""
        if self.bound.between is None:
            return None
        born, day = (date.value for date in self._dates(self.bound.between))
        age = f"age_at({born}, {day})"
        return age if self.plausibility.keep else f"CASE WHEN {age} < {OLDEST!r} THEN {age} END"

    def _dates(self, between: tuple[Bound, Bound]) -> tuple[FieldSql, FieldSql]:
        born, day = (FieldSql(date, self.in_sql, self.plausibility) for date in between)
        return born, day

    def _first_present(self, expression: Callable[[str, Kind], str], otherwise: str | None = None) -> str:
        cases = [(self._present(name, kind), expression(name, kind)) for name, kind in self.bound.columns]
        last = cases.pop()[1] if otherwise is None else otherwise
        return f"CASE {' '.join(f'WHEN {when} THEN {then}' for when, then in cases)} ELSE {last} END" if cases else last

    def _present(self, name: str, kind: Kind) -> str:
        conditions = [f"{self._plain(name, kind)} IS NOT NULL"]
        if self._may_be_several:
            conditions.append(self._lists(SEVERAL_VALUES, f"{name}="))
        if _is_tag(name):
            conditions += [self._lists("invalid", f"{name}\\")] if "invalid" in self.in_sql else []
            conditions += [self._lists("partial", f"{name}=")] if self._may_be_shortened(name, kind) else []
        return " OR ".join(conditions)

    def _value(self, name: str, kind: Kind) -> str:
        plain = self._plain(name, kind)
        if self.plausibility.keep or not _is_tag(name):
            return plain
        if kind in _DATES:
            return self._plausible(plain)
        if kind is Kind.AGE and "implausible" in self.in_sql:
            placeholder = self._lists("implausible", f"{name}\\")
            return f"CASE WHEN {plain} < {OLDEST!r} AND ({placeholder}) IS NOT TRUE THEN {plain} END"
        return plain

    def _day(self, name: str, kind: Kind, *, group: int) -> str:
        value = self._value(name, kind)
        if not self._may_be_shortened(name, kind):
            return value
        first, day = (self._of_partial(name, number) for number in (1, group))
        shortened = day if self.plausibility.keep else self._plausible(first, day)
        return f"COALESCE({value}, {shortened})"

    def _of_partial(self, name: str, group: int) -> str:
        pattern = rf"(?:^|\\){name}=([\d-]+)/([\d-]+)"
        return f"TRY_CAST(REGEXP_EXTRACT({quoted(self.in_sql['partial'])}, '{pattern}', {group}) AS DATE)"

    def _several(self, name: str, kind: Kind) -> str:
        macro = "days_of" if kind in _DATES else "numbers_of"
        return f"{macro}({quoted(self.in_sql[SEVERAL_VALUES])}, {_literal(name)})"

    def _plausible(self, day: str, value: str | None = None) -> str:
        limits = f"DATE '{EARLIEST}' AND DATE '{self.plausibility.latest}'"
        return f"CASE WHEN {day} BETWEEN {limits} THEN {value or day} END"

    def _may_be_shortened(self, name: str, kind: Kind) -> bool:
        return kind in _DATES and "partial" in self.in_sql and _is_tag(name)

    def _lists(self, column: str, entry: str) -> str:
        """Return the condition that one of the columns of doubts has an entry that starts so."""
        return f"CONTAINS('\\' || {quoted(self.in_sql[column])} || '\\', {_literal(f'{SEPARATOR}{entry}')})"

    def _plain(self, name: str, kind: Kind) -> str:
        column = quoted(self.in_sql[name])
        if kind is Kind.TEXT:
            return f"NULLIF({column}, '')"  # an empty tag is a missing value
        if kind in _DATES:
            return f"CAST({column} AS DATE)"
        # NaN is a missing value; for DuckDB it equals itself and is larger than every number.
        return f"NULLIF(CAST({column} AS DOUBLE), CAST('NaN' AS DOUBLE))"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _is_tag(name: str) -> bool:
    """Return whether a column is a DICOM keyword whose values are judged: one of every index, or a birth date."""
    return name in vocabulary().dicom or any(name == born for born, _ in vocabulary().ages.values())
