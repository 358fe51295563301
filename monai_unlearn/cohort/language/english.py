"""Predicates in plain English, for readers who do not know the language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.condition import (
    Between,
    Comparison,
    Condition,
    Contains,
    Direction,
    In,
    Like,
    Matches,
    Operator,
    Within,
)
from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.predicate import Exists, Missing, Predicate
from monai_unlearn.cohort.language.term import Field, asks_about_people
from monai_unlearn.cohort.language.term_english import phrase
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.folding import folding_matters

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN = re.compile(r"[-+.0-9]")  # numbers and dates need no quotes
_COMPARED = {
    Operator.EQUAL: "is",
    Operator.UNEQUAL: "is not",
    Operator.SAME: "is",
    Operator.LESS: "is less than",
    Operator.AT_MOST: "is at most",
    Operator.MORE: "is more than",
    Operator.AT_LEAST: "is at least",
}
_ANY_CASE = ", ignoring case"
_DATED = {
    Operator.LESS: "is before",
    Operator.AT_MOST: "is not after",
    Operator.MORE: "is after",
    Operator.AT_LEAST: "is not before",
}


@dataclass(frozen=True)
class Sentence:
    r"""A predicate as an English sentence, with those of its operands.

    >>> from monai_unlearn.cohort import parse
    >>> print("\n".join(sentence(parse("device == Cirrus and age >= 60")).lines()))
    all of these hold:
      device is “Cirrus”
      age is at least 60
    """

    text: str
    parts: tuple[Sentence, ...] = ()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """Yield the sentence and its parts, indented by two spaces per level."""
        yield f"{'  ' * depth}{self.text}"
        for part in self.parts:
            yield from part.lines(depth + 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the sentence as plain values, for JSON."""
        return {"text": self.text, "parts": [part.to_dict() for part in self.parts]}


@singledispatch
def sentence(node: Predicate) -> Sentence:
    """Return a predicate in English; values of fields that identify people are left out.

    Raises:
        NotImplementedError: No handler is registered for this type of node.
    """
    raise NotImplementedError(type(node).__name__)


@sentence.register(Comparison)
def _comparison(node: Comparison) -> Sentence:
    is_date = isinstance(node.value, Value) and _DATE.fullmatch(node.value.text)
    compared = _DATED.get(node.operator) if is_date else None
    case = _ANY_CASE if node.operator is Operator.SAME else ""
    return Sentence(f"{phrase(node.term)} {compared or _COMPARED[node.operator]} {_shown(node, node.value)}{case}")


@sentence.register(In)
def _in(node: In) -> Sentence:
    return Sentence(_membership(node, verb="is"))


@sentence.register(Between)
def _between(node: Between) -> Sentence:
    low, high = (_shown(node, value) for value in (node.low, node.high))
    return Sentence(f"{phrase(node.term)} is between {low} and {high}, both included")


@sentence.register(Contains)
def _contains(node: Contains) -> Sentence:
    return Sentence(f"{phrase(node.term)} contains {_shown(node, node.value)}")


@sentence.register(Like)
def _like(node: Like) -> Sentence:
    return Sentence(f"{phrase(node.term)} is like {_shown(node, node.value)}, ignoring case, spaces and punctuation")


@sentence.register(Matches)
def _matches(node: Matches) -> Sentence:
    pattern = (
        "an expression that is not shown" if asks_about_people(node) else f"the regular expression /{node.pattern}/"
    )
    return Sentence(f"{phrase(node.term)} matches {pattern}{_ANY_CASE if node.ignore_case else ''}")


@sentence.register(Within)
def _within(node: Within) -> Sentence:
    where = {Direction.OF: "before or after", Direction.BEFORE: "before", Direction.AFTER: "after"}[node.direction]
    if isinstance(node.anchor, Reference):
        anchor = f"a value of {node.anchor}"
    else:
        anchor = phrase(node.anchor) if isinstance(node.anchor, Field) else _shown(node, node.anchor)
    return Sentence(f"{phrase(node.term)} is at most {node.days} days {where} {anchor}")


@sentence.register(Exists)
def _exists(node: Exists) -> Sentence:
    return Sentence(f"{phrase(node.field)} is recorded")


@sentence.register(Missing)
def _missing(node: Missing) -> Sentence:
    return Sentence(f"{phrase(node.field)} is not recorded")


@sentence.register(Not)
def _not(node: Not) -> Sentence:
    if isinstance(node.operand, In):
        return Sentence(_membership(node.operand, verb="is not"))
    return Sentence("this does not hold:", (sentence(node.operand),))


@sentence.register(And)
def _and(node: And) -> Sentence:
    return Sentence("all of these hold:", tuple(sentence(operand) for operand in node.operands))


@sentence.register(Or)
def _or(node: Or) -> Sentence:
    return Sentence("at least one of these holds:", tuple(sentence(operand) for operand in node.operands))


def _membership(node: In, *, verb: str) -> str:
    if isinstance(node.values, Reference):
        which = f"one of the values of {node.values}"
    elif asks_about_people(node):
        which = f"one of {counted(len(node.values), 'value that is', 'values that are')} not shown"
    else:
        values = ", ".join(f"“{value.text}”{_exactly(value)}" for value in node.values)
        which = f"one of {values}" if len(node.values) > 1 else values
    return f"{phrase(node.term)} {verb} {which}"


def _shown(node: Condition, value: Value | Reference) -> str:
    if isinstance(value, Reference):
        return f"the value of {value}"
    if asks_about_people(node):
        return "a value that is not shown"
    return value.text if _PLAIN.match(value.text) else f"“{value.text}”{_exactly(value)}"


def _exactly(value: Value) -> str:
    """Return the words for a value that spaces and dashes decide about; those that fold need none."""
    return " exactly" if value.exact and folding_matters(value.text) else ""
