"""Other spellings of the values that a spec compares with, and values near those that occur nowhere.

Only fields that identify nobody are examined: what the index has of them may be shown.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.condition import Comparison, Contains, Like, Operator
from monai_unlearn.cohort.language.node import Reference
from monai_unlearn.cohort.language.term import Each, Field
from monai_unlearn.cohort.query.spellings import count_spellings
from monai_unlearn.cohort.typing.compared import EXACT, SIDES, Compared, compared
from monai_unlearn.vocabulary.folding import folded, letters, visible
from monai_unlearn.vocabulary.privacy import may_show_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monai_unlearn.cohort.query.statement import Question
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index

_MOST_VALUES = 1_000  # of one field
_SHOWN_VALUES = 50
_SHOWN_VARIANTS = 20
_SHOWN_NEAR = 3
_LEAST_PART = 3  # letters of a value that is looked for as a part of others
_NEAR = 0.6  # how alike two words are, as for suggestions elsewhere


@dataclass(frozen=True)
class Variants:
    """The spellings of one value of a spec.

    Attributes:
        field: The field.
        value: The value in the spec.
        spellings: The texts in the index with the same letters and digits, each with its images.
        caught: Those of them that the condition takes to be equal to the value.
    """

    field: str
    value: str
    spellings: Mapping[str, int]
    caught: tuple[str, ...]

    @property
    def others(self) -> dict[str, int]:
        """The spellings that are not the value itself."""
        return {text: images for text, images in self.spellings.items() if text != self.value}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; at most `_SHOWN_VARIANTS` spellings."""
        return {
            "field": self.field,
            "value": self.value,
            "variants": dict(islice(self.others.items(), _SHOWN_VARIANTS)),
            "caught": {text: self.spellings[text] for text in self.caught[:_SHOWN_VARIANTS]},
        }

    def counts(self) -> dict[str, Any]:
        """Return how many other spellings there are, and in how many images, as plain values without their texts.

        An image with several of them, in a multi-valued tag, counts for each.
        """
        missed = {text: images for text, images in self.others.items() if text not in self.caught}
        return {
            "field": self.field,
            "value": self.value,
            "spellings": len(self.others),
            "images": sum(self.others.values()),
            "not_caught": {"spellings": len(missed), "images": sum(missed.values())},
        }


def variants_of(index: Index, question: Question) -> list[Variants]:
    """Return the values of a question that have other spellings in the index, at most `_SHOWN_VALUES`.

    Raises:
        IndexReadError: The index cannot be read.
    """
    return list(islice((entry for entry in _examined(index, question) if entry.others), _SHOWN_VALUES))


def near_values(index: Index, question: Question) -> Iterator[str]:
    """Yield a sentence for each value that occurs nowhere but has others near it, with the images of those.

    Raises:
        IndexReadError: The index cannot be read.
    """
    absent = [entry for entry in _examined(index, question) if not entry.caught]
    texts = count_spellings(index, {entry.field: None for entry in absent}, question.bound) if absent else {}
    for entry in islice(absent, _SHOWN_VALUES):
        near = _near(entry, texts[entry.field])
        if near:
            listed = ", ".join(f"'{visible(text)}' (images: {images:,})" for text, images in near)
            yield f"No image has the value '{visible(entry.value)}' of {entry.field}. Near it: {listed}."


def _near(entry: Variants, texts: Mapping[str, int]) -> list[tuple[str, int]]:
    by_letters = _by_letters(texts)
    key = letters(entry.value)
    found = difflib.get_close_matches(key, by_letters, n=_SHOWN_NEAR, cutoff=_NEAR)
    # A name that holds the value as a part of it is near as well, however long it is.
    if len(key) >= _LEAST_PART:
        found += [other for other in by_letters if key in other and other not in found]
    return [(text, texts[text]) for other in found for text in by_letters[other]][:_SHOWN_NEAR]


def _by_letters(texts: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(letters(text), []).append(text)
    return found


def _examined(index: Index, question: Question) -> Iterator[Variants]:
    """Yield every value that may be shown, with its spellings in the index."""
    predicates = [*question.rules, *([] if question.population is None else [question.population])]
    asked = [
        (field, value, part)
        for part in compared(predicates, question.bound)
        for field in _shown_field(part, question.bound)
        for value in _values(part, question)
    ]
    keys: dict[str, set[str]] = {}
    for field, value, _ in asked:
        keys.setdefault(field, set()).add(letters(value))
    counts = count_spellings(index, keys, question.bound) if keys else {}
    spelled = {field: _by_letters(texts) for field, texts in counts.items()}
    for field, value, part in asked:
        own = {text: counts[field][text] for text in spelled[field].get(letters(value), ())}
        yield Variants(field, value, own, tuple(text for text in own if _is_caught(part, value, text)))


def _shown_field(part: Compared, bound: Mapping[str, Bound]) -> Iterator[str]:
    """Yield the field of a condition that compares whole values, if they may be shown."""
    term = part.condition.term
    field = term.field if isinstance(term, Each) else term
    if isinstance(field, Field) and not isinstance(part.condition, Contains) and part.how != SIDES:
        names = [field.name, *(column for column, _ in bound[field.name].columns)]
        if all(map(may_show_values, names)):
            yield field.name


def _values(part: Compared, question: Question) -> list[str]:
    given = [
        text
        for value in part.values
        for text in (question.value_sets[value.name] if isinstance(value, Reference) else (value.text,))
    ]
    return list(dict.fromkeys(text for text in given if letters(text)))[:_MOST_VALUES]


def _is_caught(part: Compared, value: str, text: str) -> bool:
    if isinstance(part.condition, Like):
        return True
    pair = (text, value) if part.how == EXACT else (folded(text), folded(value))
    if isinstance(part.condition, Comparison) and part.condition.operator is Operator.SAME:
        pair = (pair[0].lower(), pair[1].lower())
    return pair[0] == pair[1]
