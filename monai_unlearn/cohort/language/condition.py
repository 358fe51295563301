"""Conditions: predicates that compare one term with values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.node import CONTROL, Node, Reference, Value
from monai_unlearn.cohort.language.predicate import Predicate
from monai_unlearn.cohort.language.term import Field, Term, asks_about_people
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.folding import letters

if TYPE_CHECKING:
    from monai_unlearn.cohort.language.source import Span

MAX_DAYS = 36_525  # a century
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WILDCARD = re.compile(r"^[%*]|[%*]$")


class Operator(str, Enum):
    """How a term compares with a value."""

    EQUAL = "=="
    UNEQUAL = "!="
    SAME = "~="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="

    @property
    def orders(self) -> bool:
        """Whether the operator needs ordered values: numbers, ages or dates."""
        return self not in {Operator.EQUAL, Operator.UNEQUAL, Operator.SAME}


@dataclass(frozen=True)
class Condition(Predicate):
    """A predicate about one term; unknown where the term is missing."""

    term: Term

    def __post_init__(self) -> None:
        if not any(isinstance(node, Field) for node in self.term.walk()):
            raise ValueError("expected a field on the left side, got only numbers")
        self._set_depth()

    @property
    def children(self) -> tuple[Node, ...]:
        """The term."""
        return (self.term,)

    def _hides(self, *, private: bool) -> bool:
        """Whether values must not be shown, because a field of the term identifies people."""
        return private and asks_about_people(self)

    def _shown(self, value: Value | Reference, *, private: bool) -> str:
        return "…" if isinstance(value, Value) and self._hides(private=private) else str(value)


@dataclass(frozen=True)
class Comparison(Condition):
    """`term operator value`.

    >>> from monai_unlearn.cohort.language.term import Field
    >>> str(Comparison(Field("age"), Operator.AT_LEAST, Value("60")))
    'age >= 60'
    """

    operator: Operator
    value: Value | Reference

    def render(self, *, private: bool = False) -> str:
        """Return `device == Cirrus 800 FA`."""
        value = self._shown(self.value, private=private)
        return f"{self.term.render(private=private)} {self.operator.value} {value}"


@dataclass(frozen=True)
class In(Condition):
    """`term in [value, …]` or `term in @value_set`.

    >>> from monai_unlearn.cohort.language.term import Field
    >>> withdrawn = In(Field("patient"), (Value("P17"), Value("P18")))
    >>> str(withdrawn), withdrawn.render(private=True)
    ('patient in [P17, P18]', 'patient in [… 2 values]')
    """

    values: tuple[Value, ...] | Reference

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.values:
            raise ValueError("expected at least one value in the list")

    def render(self, *, private: bool = False, word: str = "in") -> str:
        """Return `eye_label in [N, D]`, or the same with another word for `in`."""
        term = self.term.render(private=private)
        if isinstance(self.values, Reference):
            return f"{term} {word} {self.values}"
        hidden = self._hides(private=private)
        values = f"… {counted(len(self.values), 'value')}" if hidden else ", ".join(map(str, self.values))
        return f"{term} {word} [{values}]"


@dataclass(frozen=True)
class Between(Condition):
    """`term between low and high`, both included."""

    low: Value
    high: Value

    def render(self, *, private: bool = False) -> str:
        """Return `age between 40 and 60`."""
        low, high = (self._shown(value, private=private) for value in (self.low, self.high))
        return f"{self.term.render(private=private)} between {low} and {high}"


@dataclass(frozen=True)
class Contains(Condition):
    """`term contains text`: the text occurs in the value; upper and lower case differ."""

    value: Value

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.value.text:
            raise ValueError("expected some text, got none: every value contains an empty text")

    def render(self, *, private: bool = False) -> str:
        """Return `SeriesDescription contains MPRAGE`."""
        return f"{self.term.render(private=private)} contains {self._shown(self.value, private=private)}"


@dataclass(frozen=True)
class Like(Condition):
    """`term like text`: the same letters and digits, whatever the case, spaces, dashes and other punctuation.

    >>> str(Like(Field("device"), Value("Biograph64")))
    'device like Biograph64'
    """

    value: Value

    def __post_init__(self) -> None:
        super().__post_init__()
        if _WILDCARD.search(self.value.text):
            raise ValueError("expected a whole value: 'like' has no wildcards. For a part of the text, write: contains")
        if not letters(self.value.text):
            raise ValueError("expected letters or digits: 'like' ignores spaces and punctuation")

    def render(self, *, private: bool = False) -> str:
        """Return `device like Biograph64`."""
        return f"{self.term.render(private=private)} like {self._shown(self.value, private=private)}"


@dataclass(frozen=True)
class Matches(Condition):
    """`term matches /expression/i`: a regular expression (RE2) matches somewhere in the value."""

    pattern: str
    ignore_case: bool = False
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.pattern or CONTROL.search(self.pattern):
            raise ValueError("expected a regular expression without control characters")
        if re.search(r"(?<!\\)(?:\\\\)*\\$", self.pattern):
            raise ValueError("expected a regular expression that does not end in a lone backslash")
        # A slash that is not escaped would end the expression.
        escaped = re.sub(r"(\\.)|/", lambda match: match[1] or r"\/", self.pattern)
        object.__setattr__(self, "pattern", escaped)

    def render(self, *, private: bool = False) -> str:
        r"""Return `StationName matches /^OCT\d+/`."""
        shown = "…" if self._hides(private=private) else self.pattern
        return f"{self.term.render(private=private)} matches /{shown}/{'i' if self.ignore_case else ''}"


class Direction(str, Enum):
    """On which side of its anchor a window lies."""

    OF = "of"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Within(Condition):
    """`term within 30 days of anchor`: a window around, before or after a day; both ends are included."""

    days: int
    direction: Direction
    anchor: Value | Reference | Field

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.days <= MAX_DAYS:
            raise ValueError(f"expected a window of at most {MAX_DAYS} days")
        if isinstance(self.anchor, Value) and not _DATE.fullmatch(self.anchor.text):
            raise ValueError("expected a date such as 2019-01-31")

    @property
    def children(self) -> tuple[Node, ...]:
        """The term, and the anchor where it is a field."""
        return (self.term, self.anchor) if isinstance(self.anchor, Field) else (self.term,)

    def render(self, *, private: bool = False) -> str:
        """Return `acquired within 30 days of @index_date`."""
        anchor = str(self.anchor) if isinstance(self.anchor, Field) else self._shown(self.anchor, private=private)
        return f"{self.term.render(private=private)} within {self.days} days {self.direction.value} {anchor}"
