"""Predicates as frozen nodes that cannot be built invalid; `str(node)` is their canonical text.

`parse(str(node)) == node` holds for every node. Where a node came from (`at`) is no part of what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.node import CONTROL, Node, Reference, Value
from monai_unlearn.cohort.language.term import Field, Term, asks_about_people

if TYPE_CHECKING:
    from monai_unlearn.cohort.language.source import Span

MAX_DAYS = 36_525  # a century
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
        """Whether the operator needs values that have an order."""
        return self not in {Operator.EQUAL, Operator.UNEQUAL, Operator.SAME}


class Predicate(Node):
    """A question to one image: true, false, or unknown where what it asks for is missing."""


@dataclass(frozen=True)
class Condition(Predicate):
    """A predicate about one term."""

    __test__ = False  # no test of pytest's

    term: Term

    def __post_init__(self) -> None:
        if not any(isinstance(node, Field) for node in self.term.walk()):
            raise ValueError("expected a field on the left side, got a number alone")
        self._set_depth()

    @property
    def children(self) -> tuple[Node, ...]:
        """The term."""
        return (self.term,)

    def _hides(self, *, private: bool) -> bool:
        """Whether values must not be shown, because a field of the term identifies somebody."""
        return private and asks_about_people(self)

    def _shown(self, value: Value | Reference, *, private: bool) -> str:
        return "…" if isinstance(value, Value) and self._hides(private=private) else str(value)


@dataclass(frozen=True)
class Comparison(Condition):
    """`term operator value`."""

    operator: Operator
    value: Value | Reference

    def render(self, *, private: bool = False) -> str:
        """Return `device == Cirrus 800 FA`."""
        value = self._shown(self.value, private=private)
        return f"{self.term.render(private=private)} {self.operator.value} {value}"


@dataclass(frozen=True)
class In(Condition):
    """`term in [value, …]` or `term in @value_set`."""

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
        values = f"… {len(self.values)} values" if hidden else ", ".join(map(str, self.values))
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
    """`term contains text`: the text stands somewhere in the value, upper and lower case as written."""

    value: Value

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.value.text:
            raise ValueError("expected some text, got none: every value contains that")

    def render(self, *, private: bool = False) -> str:
        """Return `SeriesDescription contains MPRAGE`."""
        return f"{self.term.render(private=private)} contains {self._shown(self.value, private=private)}"


@dataclass(frozen=True)
class Matches(Condition):
    """`term matches /expression/i`: a regular expression (RE2) fits somewhere in the value."""

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
    """On which side of a day a window lies."""

    OF = "of"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Within(Condition):
    """`term within 30 days of anchor`: a window around a day, before it or after it, the ends included."""

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
        """The term, and the anchor where that is a field."""
        return (self.term, self.anchor) if isinstance(self.anchor, Field) else (self.term,)

    def render(self, *, private: bool = False) -> str:
        """Return `acquired within 30 days of @index_date`."""
        anchor = str(self.anchor) if isinstance(self.anchor, Field) else self._shown(self.anchor, private=private)
        return f"{self.term.render(private=private)} within {self.days} days {self.direction.value} {anchor}"


@dataclass(frozen=True)
class Exists(Predicate):
    """`exists(field)`: true or false, never unknown."""

    field: Field

    @property
    def children(self) -> tuple[Node, ...]:
        """The field."""
        return (self.field,)

    def render(self, *, private: bool = False) -> str:
        """Return `exists(device)`."""
        return f"exists({self.field.render(private=private)})"


@dataclass(frozen=True)
class Missing(Predicate):
    """`missing(field)`: true or false, never unknown."""

    field: Field

    @property
    def children(self) -> tuple[Node, ...]:
        """The field."""
        return (self.field,)

    def render(self, *, private: bool = False) -> str:
        """Return `missing(device)`."""
        return f"missing({self.field.render(private=private)})"


@dataclass(frozen=True)
class Not(Predicate):
    """Turns true and false around, and leaves unknown unknown."""

    operand: Predicate

    def __post_init__(self) -> None:
        self._set_depth()

    @property
    def children(self) -> tuple[Node, ...]:
        """The operand."""
        return (self.operand,)

    def render(self, *, private: bool = False) -> str:
        """Return `not (…)`, or `field not in […]`."""
        if isinstance(self.operand, In):
            return self.operand.render(private=private, word="not in")
        text = self.operand.render(private=private)
        return f"not {text}" if isinstance(self.operand, Exists | Missing) else f"not ({text})"


@dataclass(frozen=True)
class _Joined(Predicate):
    """Two or more predicates, joined by one word."""

    operands: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        if len(self.operands) < 2:  # noqa: PLR2004 - "and" stands between two
            raise ValueError("expected at least two predicates to join")
        self._set_depth()

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands."""
        return self.operands

    def _join(self, word: str, *, private: bool) -> str:
        texts = ((operand, operand.render(private=private)) for operand in self.operands)
        return f" {word} ".join(f"({text})" if isinstance(node, _Joined) else text for node, text in texts)


@dataclass(frozen=True)
class And(_Joined):
    """False where one operand is false, true where all are true, else unknown."""

    def render(self, *, private: bool = False) -> str:
        """Return `… and …`."""
        return self._join("and", private=private)


@dataclass(frozen=True)
class Or(_Joined):
    """True where one operand is true, false where all are false, else unknown."""

    def render(self, *, private: bool = False) -> str:
        """Return `… or …`."""
        return self._join("or", private=private)


def rules_of(predicate: Predicate) -> tuple[Predicate, ...]:
    """Return what must all hold: the operands of an `and` at the top, else the predicate itself."""
    return predicate.operands if isinstance(predicate, And) else (predicate,)
