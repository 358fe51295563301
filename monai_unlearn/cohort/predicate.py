"""Predicates as frozen nodes that cannot be built invalid; `str(node)` is their canonical text.

`parse(str(node)) == node` holds for every node. Where a node came from (`at`) is no part of what it is.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.cohort.source import Span

MAX_DEPTH = 50
RESERVED = ("and", "or", "not", "in")

_PLAIN_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What a value may be without quotes: the grammar's WORD, single spaces between.
_PLAIN_WORD = re.compile(
    r"[^\s()\[\],'\"`\u2018\u2019\u201c\u201d=<>!@$\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+"
)
_NO_WORDS = {"and", "or", "not", "&", "&&", "|", "||"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# Fields whose values name a person or their images: messages and tables show how many, never which.
_PEOPLE = re.compile(
    r"(?i)(?<![A-Za-z0-9])"
    r"(?:patients?(?:_?ids?)?|stud(?:y|ies)(?:_?ids?)?|series|image_?ids?|path|mrn|accession\w*|\w*uids?|id)"
    r"(?![A-Za-z0-9_])"
)


def names_people(text: str) -> bool:
    """Tell whether a text has the name of a field that identifies patients, studies or images."""
    return _PEOPLE.search(text) is not None


class Operator(str, Enum):
    """How a field compares with a value."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="

    @property
    def orders(self) -> bool:
        """Whether the operator needs values that have an order."""
        return self not in {Operator.EQUAL, Operator.UNEQUAL}


@dataclass(frozen=True)
class Field:
    """The name of a column or an alias, as the author wrote it."""

    name: str
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.name or "`" in self.name or _CONTROL.search(self.name):
            raise ValueError("expected a field name without backquotes and control characters")

    def __str__(self) -> str:
        plain = _PLAIN_FIELD.fullmatch(self.name) and self.name.lower() not in RESERVED
        return self.name if plain else f"`{self.name}`"


@dataclass(frozen=True)
class Value:
    """What a field is compared with, as text; the field's kind says later what it means."""

    text: str
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if _CONTROL.search(self.text):
            raise ValueError("expected a value without control characters")

    def __str__(self) -> str:
        return self.text if _is_plain(self.text) else "'" + self.text.replace("'", "''") + "'"


def _is_plain(text: str) -> bool:
    """Whether a value reads back as itself without quotes."""
    words = text.split(" ")
    return text.lower() != "null" and all(
        _PLAIN_WORD.fullmatch(word) and word.lower() not in _NO_WORDS for word in words
    )


@dataclass(frozen=True)
class Predicate(ABC):
    """A question to one image: true, false, or unknown where what it asks for is missing."""

    depth: int = field(init=False, compare=False, repr=False, default=1)

    @property
    def children(self) -> tuple[Predicate, ...]:
        """The predicates that this one is made of."""
        return ()

    @abstractmethod
    def render(self, *, private: bool = False) -> str:
        """Return the canonical text; with `private`, without values that identify somebody."""

    def __str__(self) -> str:
        return self.render()

    def walk(self) -> Iterator[Predicate]:
        """Yield this predicate and all that it is made of."""
        yield self
        for child in self.children:
            yield from child.walk()

    def _set_depth(self) -> None:
        """Keep what recurses over nodes, here and elsewhere, far from Python's limit."""
        depth = 1 + max(child.depth for child in self.children)
        if depth > MAX_DEPTH:
            raise ValueError(f"expected at most {MAX_DEPTH} nested levels, got more")
        object.__setattr__(self, "depth", depth)


@dataclass(frozen=True)
class Comparison(Predicate):
    """`field operator value`."""

    field: Field
    operator: Operator
    value: Value

    def render(self, *, private: bool = False) -> str:
        """Return `device == Cirrus 800 FA`."""
        value = "…" if private and names_people(self.field.name) else str(self.value)
        return f"{self.field} {self.operator.value} {value}"


@dataclass(frozen=True)
class In(Predicate):
    """`field in [value, …]`."""

    field: Field
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("expected at least one value in the list")

    def render(self, *, private: bool = False, word: str = "in") -> str:
        """Return `eye_label in [N, D]`, or the same with another word for `in`."""
        hidden = private and names_people(self.field.name)
        values = f"… {len(self.values)} values" if hidden else ", ".join(map(str, self.values))
        return f"{self.field} {word} [{values}]"


@dataclass(frozen=True)
class Exists(Predicate):
    """`exists(field)`: true or false, never unknown."""

    field: Field

    def render(self, *, private: bool = False) -> str:  # noqa: ARG002 - a name is nobody's value
        """Return `exists(device)`."""
        return f"exists({self.field})"


@dataclass(frozen=True)
class Missing(Predicate):
    """`missing(field)`: true or false, never unknown."""

    field: Field

    def render(self, *, private: bool = False) -> str:  # noqa: ARG002 - a name is nobody's value
        """Return `missing(device)`."""
        return f"missing({self.field})"


@dataclass(frozen=True)
class Not(Predicate):
    """Turns true and false around, and leaves unknown unknown."""

    operand: Predicate

    def __post_init__(self) -> None:
        self._set_depth()

    @property
    def children(self) -> tuple[Predicate, ...]:
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
    def children(self) -> tuple[Predicate, ...]:
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
