"""Predicates of predicates: `not`, `and`, `or` in Kleene's logic of three values, and the rules of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import In
from monai_unlearn.cohort.language.predicate import Exists, Missing, Predicate

if TYPE_CHECKING:
    from monai_unlearn.cohort.language.node import Node


@dataclass(frozen=True)
class Not(Predicate):
    """False where the operand is true, true where it is false, unknown where it is unknown.

    >>> from monai_unlearn.cohort import parse
    >>> str(Not(parse("exists(device)"))), str(Not(parse("device in [Cirrus]")))
    ('not exists(device)', 'device not in [Cirrus]')
    """

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
    """Two or more predicates joined by `and` or by `or`."""

    operands: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        if len(self.operands) < 2:  # noqa: PLR2004 - `and` joins two
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
    """Return the rules of a predicate: the operands of an `and` at the top, or the predicate itself."""
    return predicate.operands if isinstance(predicate, And) else (predicate,)
