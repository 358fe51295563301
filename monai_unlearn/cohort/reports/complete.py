"""What may stand at a place of a spec while its author types: keys, fields, functions, choices, and values."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.reports.field_values import field_names, field_values
from monai_unlearn.cohort.spec.schema import json_schema
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.folding import letters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from monai_unlearn.index import Index

MOST = 12
"""Suggestions at one place."""

# The text of a line up to the cursor. A choice is looked for first, a word last.
_CHOICE = re.compile(r"^(\w+):\s*([\w-]*)$")
_KEY = re.compile(r"^(\w*)$")
_FIELD = r"(?:`([^`]+)`|([A-Za-z_][A-Za-z0-9_.]*))"
_COMPARED = re.compile(rf"{_FIELD}\s*(?:==|!=)\s*['\"]?([^\[\](),'\"<>=&|]*)$")
_LISTED = re.compile(rf"{_FIELD}\s+in\s*\[(?:[^\]]*,)?\s*['\"]?([^\[\](),'\"]*)$")
_WORD = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)$")
_SHORTEST, _NEAR = 4, 0.75
"""Characters from which on a spelling may be taken for a slip, and how alike the two must be, of 1."""
_MOST_COMPARED = 2_000
"""Values that are compared letter by letter while somebody types; the most frequent come first."""
_LONGEST = 1_000
"""Characters before the cursor that are read: what is looked for backwards takes their square."""
_PREDICATE = re.compile(r"^(?:forget|population)\s*:|^\s+(?:-|any|all|not)|^\s*-\s")


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A text that may stand in place of what was typed.

    Attributes:
        text: The text, as the language writes it.
        detail: What it is, in a few words.
        start: The first character of the spec that it replaces.
        end: Where the cursor is: the end of what it replaces.
    """

    text: str
    detail: str
    start: int
    end: int


def complete(
    text: str, cursor: int, index: Index | None, values: Callable[[Index, str], Mapping[str, int]] = field_values
) -> list[Suggestion]:
    """Return what may stand at a place of a spec, the likeliest first, at most `MOST`.

    Args:
        text: The spec as far as it is written; it need not be valid.
        cursor: The place, as a number of characters.
        index: The index whose fields and values are suggested; None suggests none.
        values: How the values of a field are counted: a caller may remember them.

    Raises:
        IndexReadError: The index cannot be read.
    """
    cursor = min(max(cursor, 0), len(text))
    line = text[text.rfind("\n", 0, cursor) + 1 : cursor]
    for start, pairs in _at(line, index, values):
        typed = line[start:]
        found = [(word, detail) for word, detail in _ranked(pairs, typed) if word != typed]
        if found:
            begin = cursor - len(typed)
            return [Suggestion(text=word, detail=detail, start=begin, end=cursor) for word, detail in found[:MOST]]
    return []


Pairs = list[tuple[str, str]]


def _at(
    line: str, index: Index | None, values: Callable[[Index, str], Mapping[str, int]]
) -> Iterator[tuple[int, Pairs]]:
    """Yield where the text to replace begins in a line, and what may stand there, the likeliest reading first."""
    if found := _CHOICE.match(line):
        yield found.start(2), _choices(found[1])
    if found := _KEY.match(line):
        yield found.start(1), [(f"{key}: ", words) for key, words in _keys().items()]
    if not _PREDICATE.match(line) or index is None:
        return
    end = line[-_LONGEST:]
    shift = len(line) - len(end)
    if found := _LISTED.search(end) or _COMPARED.search(end):
        counts = values(index, found[1] or found[2])
        yield (
            shift + found.start(3),
            [(str(Value(value)), counted(images, "image")) for value, images in counts.items()],
        )
    if found := _WORD.search(end):
        named = [(str(Field(name)), words) for name, words in field_names(index).items() if "`" not in name]
        yield shift + found.start(1), [*named, *((f"{name}(", "function") for name in FUNCTIONS)]


def _ranked(pairs: Iterable[tuple[str, str]], typed: str) -> Pairs:
    """Return what fits a typed text: what begins with it, then what contains it; or else what is spelled alike."""
    key = letters(typed)
    listed = [(pair, letters(pair[0])) for pair in pairs]
    begins = [pair for pair, spelled in listed if spelled.startswith(key)]
    contain = [pair for pair, spelled in listed if key in spelled and not spelled.startswith(key)]
    return begins + contain or _alike(key, listed[:_MOST_COMPARED])


def _alike(key: str, listed: Sequence[tuple[tuple[str, str], str]]) -> Pairs:
    """Return those that a slip of the fingers turns into what was typed."""
    if len(key) < _SHORTEST:
        return []
    # As much of each as was typed: the rest may still come.
    starts = {spelled[: len(key) + 1]: None for _, spelled in listed}
    near = difflib.get_close_matches(key, starts, n=MOST, cutoff=_NEAR)
    return [pair for start in near for pair, spelled in listed if spelled[: len(key) + 1] == start]


@cache
def _schema() -> dict[str, Any]:
    found: dict[str, Any] = json_schema()["properties"]
    return found


def _keys() -> dict[str, str]:
    return {key: str(body.get("description", "")).partition(". ")[0].rstrip(".") for key, body in _schema().items()}


def _choices(key: str) -> Pairs:
    body = _schema().get(key, {})
    if body.get("type") == "boolean":
        return [("true", ""), ("false", "")]
    if "const" in body:
        return [(str(body["const"]), "")]
    return list(zip(body.get("enum", ()), body.get("enumDescriptions", ()), strict=False))
