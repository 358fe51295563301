"""Predicates as they may leave the site: without texts of columns that identify people, or whose content is unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import (
    Between,
    Comparison,
    Condition,
    Contains,
    In,
    Like,
    Matches,
    Within,
)
from monai_unlearn.cohort.language.english import Sentence, sentence
from monai_unlearn.cohort.language.mapped import mapped
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.term import Field, asks_about_people
from monai_unlearn.cohort.language.term_english import phrase
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.privacy import may_pass_on, may_show_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.typing.columns import Bound


def passed_on(predicate: Predicate, bound: Mapping[str, Bound], *, label: str | None) -> str:
    """Return the text of a predicate for a model card or a manifest.

    Numbers and dates stay where their field identifies nobody. Texts stay where the field is of the vocabulary, names
    a thing, or holds the classes, which the bundle names anyway.

    Args:
        predicate: The predicate.
        bound: The columns of its fields.
        label: The column of the images' classes, if there is one.
    """
    return mapped(predicate, lambda one: one if _stays(one, bound, label) else _hidden(one)).render(private=True)


def passed_on_sentence(predicate: Predicate, bound: Mapping[str, Bound], *, label: str | None) -> Sentence:
    """Return the same in English.

    Args:
        predicate: The predicate.
        bound: The columns of its fields.
        label: The column of the images' classes, if there is one.
    """
    return sentence(mapped(predicate, lambda one: one if _stays(one, bound, label) else _told(one)))


@dataclass(frozen=True)
class _Withheld(Condition):
    """A condition whose values are not shown."""

    text: str

    def render(self, *, private: bool = False) -> str:
        return f"{self.term.render(private=private)} {self.text}"


@sentence.register(_Withheld)
def _withheld(node: _Withheld) -> Sentence:
    return Sentence(f"{phrase(node.term)} {node.text}")


def _stays(condition: Condition, bound: Mapping[str, Bound], label: str | None) -> bool:
    fields = [node.name for node in condition.walk() if isinstance(node, Field)]
    # What asks about people is rendered without its values in any case.
    return asks_about_people(condition) or all(may_stay(name, bound[name], label) for name in fields)


def may_stay(name: str, bound: Bound, label: str | None) -> bool:
    """Return whether what a field is compared with may leave the site; see `passed_on`."""
    names = [name, *(column for column, _ in bound.columns)]
    if label in names:
        return True
    is_text = any(kind is Kind.TEXT for _, kind in bound.columns)
    return all(may_pass_on(one) if is_text else may_show_values(one) for one in names)


def _hidden(condition: Condition) -> Condition:
    """Return a condition with a mark in place of its values; the name of a value set stays."""
    if isinstance(condition, In) and not isinstance(condition.values, Reference):
        return replace(condition, values=(Value(f"… {counted(len(condition.values), 'value')}"),))
    text = _text_without_values(condition)
    return condition if text is None else _Withheld(condition.term, text)


def _text_without_values(condition: Condition) -> str | None:
    """Return what follows the term; None where there is no value to hide."""
    text = None
    match condition:
        case Comparison(operator=operator, value=value) if isinstance(value, Value):
            text = f"{operator.value} …"
        case Between():
            text = "between … and …"
        case Contains() | Like():
            text = f"{type(condition).__name__.lower()} …"
        case Matches():
            text = "matches /…/"
        case Within(days=days, direction=direction, anchor=anchor) if isinstance(anchor, Value):
            text = f"within {days} days {direction.value} …"
    return text


def _told(condition: Condition) -> Condition:
    """Return a condition that says in English what its values are, and shows none."""
    text = None
    match condition:
        case Comparison(value=value) if isinstance(value, Value):
            text = "is compared with a value that is not shown"
        case In(values=values) if not isinstance(values, Reference):
            text = f"is one of {counted(len(values), 'value')} not shown"
        case Between():
            text = "is between two values that are not shown"
        case Contains():
            text = "contains a text that is not shown"
        case Like():
            text = "is like a text that is not shown"
        case Matches():
            text = "matches an expression that is not shown"
        case Within(days=days, anchor=anchor) if isinstance(anchor, Value):
            text = f"is at most {days} days from a day that is not shown"
    return condition if text is None else _Withheld(condition.term, text)
