"""Predicates in plain English, for readers who have never seen one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.predicate import (
    And,
    Between,
    Comparison,
    Condition,
    Contains,
    Direction,
    Exists,
    In,
    Matches,
    Missing,
    Not,
    Operator,
    Or,
    Predicate,
    Within,
)
from monai_unlearn.cohort.language.term import (
    Arithmetic,
    Call,
    Each,
    Field,
    Negative,
    Number,
    Quantifier,
    Sign,
    Term,
    asks_about_people,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN = re.compile(r"[-+.0-9]")  # numbers and dates need no quotes
_COMPARED = {
    Operator.EQUAL: "is",
    Operator.UNEQUAL: "is not",
    Operator.SAME: "is, in upper or lower case,",
    Operator.LESS: "is less than",
    Operator.AT_MOST: "is at most",
    Operator.MORE: "is more than",
    Operator.AT_LEAST: "is at least",
}
_DATED = {
    Operator.LESS: "is before",
    Operator.AT_MOST: "is not after",
    Operator.MORE: "is after",
    Operator.AT_LEAST: "is not before",
}
_SIGNS = {Sign.PLUS: "plus", Sign.MINUS: "minus", Sign.TIMES: "times", Sign.OVER: "divided by"}


@dataclass(frozen=True)
class Sentence:
    """What a predicate says, with what it is made of below it."""

    text: str
    parts: tuple[Sentence, ...] = ()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """Yield the sentence and its parts, each level two spaces further in."""
        yield f"{'  ' * depth}{self.text}"
        for part in self.parts:
            yield from part.lines(depth + 1)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"text": self.text, "parts": [part.to_dict() for part in self.parts]}


@singledispatch
def sentence(node: Predicate) -> Sentence:
    """Return a predicate in words; values that identify somebody are left out.

    Raises:
        NotImplementedError: A new kind of node has no words yet.
    """
    raise NotImplementedError(type(node).__name__)


@sentence.register
def _(node: Comparison) -> Sentence:
    is_date = isinstance(node.value, Value) and _DATE.fullmatch(node.value.text)
    compared = _DATED.get(node.operator) if is_date else None
    return Sentence(f"{phrase(node.term)} {compared or _COMPARED[node.operator]} {_shown(node, node.value)}")


@sentence.register
def _(node: In) -> Sentence:
    if isinstance(node.values, Reference):
        return Sentence(f"{phrase(node.term)} is one of the values listed as {node.values}")
    if asks_about_people(node):
        return Sentence(f"{phrase(node.term)} is one of {len(node.values)} values that are not shown")
    values = ", ".join(f"“{value.text}”" for value in node.values)
    return Sentence(f"{phrase(node.term)} is " + (f"one of {values}" if len(node.values) > 1 else values))


@sentence.register
def _(node: Between) -> Sentence:
    low, high = (_shown(node, value) for value in (node.low, node.high))
    return Sentence(f"{phrase(node.term)} is between {low} and {high}, both included")


@sentence.register
def _(node: Contains) -> Sentence:
    return Sentence(f"{phrase(node.term)} has {_shown(node, node.value)} somewhere in it")


@sentence.register
def _(node: Matches) -> Sentence:
    pattern = (
        "an expression that is not shown" if asks_about_people(node) else f"the regular expression /{node.pattern}/"
    )
    case = ", in upper or lower case" if node.ignore_case else ""
    return Sentence(f"{phrase(node.term)} fits {pattern}{case}")


@sentence.register
def _(node: Within) -> Sentence:
    where = {Direction.OF: "before or after", Direction.BEFORE: "before", Direction.AFTER: "after"}[node.direction]
    anchor = phrase(node.anchor) if isinstance(node.anchor, Field) else _shown(node, node.anchor)
    return Sentence(f"{phrase(node.term)} is at most {node.days} days {where} {anchor}")


@sentence.register
def _(node: Exists) -> Sentence:
    return Sentence(f"{phrase(node.field)} is recorded")


@sentence.register
def _(node: Missing) -> Sentence:
    return Sentence(f"{phrase(node.field)} is not recorded")


@sentence.register
def _(node: Not) -> Sentence:
    inner = sentence(node.operand)
    if isinstance(node.operand, In):
        return Sentence(inner.text.replace(" is one of ", " is none of ", 1).replace(" is “", " is not “", 1))
    return Sentence("not that:", (inner,))


@sentence.register
def _(node: And) -> Sentence:
    return Sentence("all of these hold:", tuple(sentence(operand) for operand in node.operands))


@sentence.register
def _(node: Or) -> Sentence:
    return Sentence("at least one of these holds:", tuple(sentence(operand) for operand in node.operands))


def phrase(term: Term) -> str:
    """Return a term in words.

    Raises:
        NotImplementedError: A new kind of term has no words yet.
    """
    if isinstance(term, Field | Number):
        return str(term)
    if isinstance(term, Each):
        which = "every value" if term.quantifier is Quantifier.ALL else "some value"
        return f"{which} of {term.field}"
    if isinstance(term, Negative):
        return f"minus {_grouped(term.operand)}"
    if isinstance(term, Arithmetic):
        return f"{_grouped(term.left)} {_SIGNS[term.sign]} {_grouped(term.right)}"
    if isinstance(term, Call):
        return _call(term)
    raise NotImplementedError(type(term).__name__)


def _grouped(term: Term) -> str:
    return f"({phrase(term)})" if isinstance(term, Arithmetic) else phrase(term)


def _call(term: Call) -> str:
    words = [phrase(argument) for argument in term.arguments]
    listed = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    text = FUNCTIONS[term.function].words.format(*words, all=listed)
    if not term.is_statistic:
        return text
    groups = " and ".join(map(str, term.by))
    return f"{text} among images " + (f"of the same {groups}" if groups else "of the cohort")


def _shown(node: Condition, value: Value | Reference) -> str:
    if isinstance(value, Reference):
        return f"the value listed as {value}"
    if asks_about_people(node):
        return "a value that is not shown"
    return value.text if _PLAIN.match(value.text) else f"“{value.text}”"
