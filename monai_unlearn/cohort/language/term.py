"""What a predicate asks about: a field, or a number made of fields. `str(term)` is its canonical text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic
from monai_unlearn.cohort.language.node import CONTROL, Node
from monai_unlearn.vocabulary.privacy import names_people

if TYPE_CHECKING:
    from monai_unlearn.cohort.language.source import Span

RESERVED = ("and", "or", "not", "in")

_PLAIN_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


class Term(Node):
    """A value of one image, or nothing where what it is made of is missing."""

    # How tightly the term binds its parts: what binds less stands in brackets inside of it.
    binding = 4


@dataclass(frozen=True)
class Field(Term):
    """The name of a column or an alias, as the author wrote it."""

    name: str
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.name or "`" in self.name or CONTROL.search(self.name):
            raise ValueError("expected a field name without backquotes and control characters")

    def render(self, *, private: bool = False) -> str:  # noqa: ARG002 - a name is nobody's value
        """Return `device`, in backquotes where it is no plain word."""
        plain = _PLAIN_FIELD.fullmatch(self.name) and self.name.lower() not in RESERVED
        return self.name if plain else f"`{self.name}`"


@dataclass(frozen=True)
class Number(Term):
    """A number without a sign, and its unit where it has one."""

    text: str
    unit: str | None = None
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.text) or float(self.text) == float("inf"):
            raise ValueError("expected a finite number such as 3 or 0.5")
        if self.unit is not None and not _PLAIN_FIELD.fullmatch(self.unit):
            raise ValueError("expected a unit such as mm")

    def render(self, *, private: bool = False) -> str:  # noqa: ARG002 - a factor is nobody's value
        """Return `11.7` or `11.7 mm`."""
        return self.text if self.unit is None else f"{self.text} {self.unit}"


class Sign(str, Enum):
    """How two numbers become one."""

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    OVER = "/"

    @property
    def adds(self) -> bool:
        """Whether both numbers must be of one unit."""
        return self in {Sign.PLUS, Sign.MINUS}


@dataclass(frozen=True)
class Arithmetic(Term):
    """`left + right`; nothing where one of them is missing, or where a division is by zero."""

    sign: Sign
    left: Term
    right: Term

    def __post_init__(self) -> None:
        self._set_depth()

    @property
    def binding(self) -> int:  # type: ignore[override]
        """Products bind tighter than sums."""
        return 1 if self.sign.adds else 2

    @property
    def children(self) -> tuple[Node, ...]:
        """Both sides."""
        return (self.left, self.right)

    def render(self, *, private: bool = False) -> str:
        """Return `a * (b + c)`, with no more brackets than it takes."""
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
    """How many of a field's values must do."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True)
class Each(Term):
    """`any(field)` or `all(field)`: the values of a field that may have several, one by one."""

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
    """`function(arguments)`; a cohort statistic may go on with `by (fields)`."""

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
            raise ValueError(f"{self.function} is a cohort statistic: it cannot be computed of another one")
        self._set_depth()

    @property
    def is_statistic(self) -> bool:
        """Whether the value depends on the whole cohort, not on the image alone."""
        return isinstance(FUNCTIONS[self.function], Statistic)

    @property
    def children(self) -> tuple[Node, ...]:
        """The arguments, then the fields that group."""
        return (*self.arguments, *self.by)

    def render(self, *, private: bool = False) -> str:
        """Return `mean(a, b)` or `zscore(x) by (sex)`."""
        arguments = ", ".join(item.render(private=private) for item in self.arguments)
        groups = ", ".join(item.render(private=private) for item in self.by)
        return f"{self.function}({arguments})" + (f" by ({groups})" if groups else "")


def asks_about_people(node: Node) -> bool:
    """Return whether a node has a field that identifies people: its values are then not shown."""
    return any(isinstance(part, Field) and names_people(part.name) for part in node.walk())
