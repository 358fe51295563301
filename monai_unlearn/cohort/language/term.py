"""Terms, the left side of a condition: a field, or a number computed from fields. `str(term)` is canonical text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic
from monai_unlearn.cohort.language.node import CONTROL, Node
from monai_unlearn.vocabulary.privacy import names_people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monai_unlearn.cohort.language.source import Span

RESERVED = ("and", "or", "not", "in")

_PLAIN_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


class Term(Node):
    """A value of one image; missing where a part of it is missing."""

    # How tightly the term binds its parts: a part that binds less is put in brackets.
    binding = 4


@dataclass(frozen=True)
class Field(Term):
    """The name of a column or an alias, as the author wrote it.

    >>> str(Field("device")), str(Field("eye-label"))
    ('device', '`eye-label`')
    """

    name: str
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.name or "`" in self.name or CONTROL.search(self.name):
            raise ValueError("expected a field name without backquotes and control characters")

    def render(self, *, private: bool = False) -> str:  # noqa: ARG002 - the name of a field identifies nobody
        """Return `device`; in backquotes where it is not a plain word."""
        plain = _PLAIN_FIELD.fullmatch(self.name) and self.name.lower() not in RESERVED
        return self.name if plain else f"`{self.name}`"


@dataclass(frozen=True)
class Number(Term):
    """A number without a sign, with an optional unit."""

    text: str
    unit: str | None = None
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.text) or float(self.text) == float("inf"):
            raise ValueError("expected a finite number such as 3 or 0.5")
        if self.unit is not None and not _PLAIN_FIELD.fullmatch(self.unit):
            raise ValueError("expected a unit such as mm")

    def render(self, *, private: bool = False) -> str:  # noqa: ARG002 - a factor identifies nobody
        """Return `11.7` or `11.7 mm`."""
        return self.text if self.unit is None else f"{self.text} {self.unit}"


class Sign(str, Enum):
    """An operator of arithmetic."""

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    OVER = "/"

    @property
    def adds(self) -> bool:
        """Whether it is a sum or a difference, so that both numbers must have the same unit."""
        return self in {Sign.PLUS, Sign.MINUS}


@dataclass(frozen=True)
class Arithmetic(Term):
    """`left + right`; missing where either is missing, and where the right side of a division is zero."""

    sign: Sign
    left: Term
    right: Term

    def __post_init__(self) -> None:
        self._set_depth()

    @property
    def binding(self) -> int:  # type: ignore[override]
        """How tightly it binds: products bind tighter than sums."""
        return 1 if self.sign.adds else 2

    @property
    def children(self) -> tuple[Node, ...]:
        """Both sides."""
        return (self.left, self.right)

    def render(self, *, private: bool = False) -> str:
        """Return `a * (b + c)`, with as few brackets as possible."""
        left = _bracketed(self.left, self.binding, private=private)
        return f"{left} {self.sign.value} {_bracketed(self.right, self.binding + 1, private=private)}"


@dataclass(frozen=True)
class Negative(Term):
    """`-term`."""

    operand: Term
    binding = 3

    def __post_init__(self) -> None:
        self._set_depth()

    @property
    def children(self) -> tuple[Node, ...]:
        """The operand."""
        return (self.operand,)

    def render(self, *, private: bool = False) -> str:
        """Return `-x`."""
        return f"-{_bracketed(self.operand, self.binding, private=private)}"


def _bracketed(term: Term, binding: int, *, private: bool) -> str:
    text = term.render(private=private)
    return text if term.binding >= binding else f"({text})"


class Quantifier(str, Enum):
    """How many of the values of a multi-valued field must meet a condition."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True)
class Each(Term):
    """`any(field)` or `all(field)`: the values of a multi-valued field, one by one."""

    quantifier: Quantifier
    field: Field

    def __post_init__(self) -> None:
        self._set_depth()

    @property
    def children(self) -> tuple[Node, ...]:
        """The field."""
        return (self.field,)

    def render(self, *, private: bool = False) -> str:
        """Return `any(ImageType)`."""
        return f"{self.quantifier.value}({self.field.render(private=private)})"


@dataclass(frozen=True)
class Call(Term):
    """`function(arguments)`; a cohort statistic may end in `by (fields)`.

    >>> str(Call("zscore", (Field("cup_disc_ratio"),), by=(Field("device"),)))
    'zscore(cup_disc_ratio) by (device)'
    """

    function: str
    arguments: tuple[Term, ...]
    by: tuple[Field, ...] = ()
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        function = FUNCTIONS.get(self.function)
        if function is None:
            raise ValueError("expected the name of a function")
        function.check(len(self.arguments), by=len(self.by))
        nested = any(isinstance(node, Call) and node.is_statistic for item in self.arguments for node in item.walk())
        if self.is_statistic and nested:
            raise ValueError(f"{self.function} is a cohort statistic: it cannot be computed from another one")
        self._set_depth()

    @property
    def is_statistic(self) -> bool:
        """Whether the value depends on the whole cohort, not only on the image."""
        return isinstance(FUNCTIONS[self.function], Statistic)

    @property
    def children(self) -> tuple[Node, ...]:
        """The arguments, then the fields of `by`."""
        return (*self.arguments, *self.by)

    def render(self, *, private: bool = False) -> str:
        """Return `mean(a, b)` or `zscore(x) by (sex)`."""
        arguments = ", ".join(item.render(private=private) for item in self.arguments)
        groups = ", ".join(item.render(private=private) for item in self.by)
        return f"{self.function}({arguments})" + (f" by ({groups})" if groups else "")


def asks_about_people(node: Node) -> bool:
    """Return whether a node has a field that identifies people, so that its values are not shown."""
    return any(isinstance(part, Field) and names_people(part.name) for part in node.walk())


def statistics_of(nodes: Iterable[Node]) -> tuple[Call, ...]:
    """Return the distinct cohort statistics in some nodes, in order of appearance."""
    calls = (part for node in nodes for part in node.walk() if isinstance(part, Call))
    return tuple(dict.fromkeys(call for call in calls if call.is_statistic))
