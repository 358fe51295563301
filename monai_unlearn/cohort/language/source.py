"""Places in a spec's text, the faults that point at them, and the one error that lists all faults."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from monai_unlearn.errors import SpecError
from monai_unlearn.vocabulary.privacy import names_people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monai_unlearn.strict_yaml import Scalar

_WIDTH = 100  # characters of a line that a message shows
_MOST_FAULTS = 30  # that one message lists
_SHOWN = 40  # characters of an offending text that a message repeats


@dataclass(frozen=True)
class Document:
    """A spec's whole text, and the name that messages give it."""

    name: str
    text: str

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and column of a character, both counted from 1."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def line(self, number: int) -> str:
        """Return the text of a line, counted from 1."""
        return self.text.split("\n")[number - 1]


@dataclass(frozen=True, order=True)
class Fault:
    """One error in a spec: where, what, and the line with a caret under the text."""

    line: int
    column: int
    message: str
    snippet: str = field(default="", compare=False)

    def render(self, name: str) -> str:
        """Return the fault as users see it."""
        where = f"{name}:{self.line}" + (f":{self.column}" if self.column else "")
        return f"{where}: {self.message}" + (f"\n{self.snippet}" if self.snippet else "")


@dataclass(frozen=True)
class Source:
    """The text of one predicate, with the place of each of its characters in its document.

    Attributes:
        text: The predicate.
        document: The document that contains it.
        offsets: The place in the document of each character of `text`, and of its end: `len(text) + 1` offsets.
    """

    text: str
    document: Document
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, text: str, name: str = "predicate") -> Source:
        """Return the source of a text that is not part of a file."""
        return cls(text, Document(name, text), tuple(range(len(text) + 1)))

    @classmethod
    def within(cls, text: str, document: Document, scalar: Scalar) -> Source:
        """Find the characters of a YAML value in the raw text of its document."""
        return cls(text, document, _align(text, document.text, scalar))

    @cached_property
    def private(self) -> bool:
        """Whether the text names a field that identifies people, so that messages must not repeat its values."""
        return names_people(self.text)


@dataclass(frozen=True)
class Span:
    """A stretch of a predicate's text, from `start` up to but not including `end`."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text of the stretch."""
        return self.source.text[self.start : self.end]

    def quoted(self) -> str:
        """Return the text as messages repeat it: without values that may identify people."""
        return "this text" if self.source.private else f"'{shown(self.text)}'"

    def fault(self, message: str, *, names_field: bool = False) -> Fault:
        """Return a fault that points at this stretch.

        Args:
            message: What is wrong.
            names_field: Whether the stretch is a field's name, which may be shown whatever surrounds it.
        """
        first = self.source.offsets[self.start]
        last = self.source.offsets[max(self.start, self.end - 1)]
        line, column = self.source.document.place(first)
        end_line, end_column = self.source.document.place(last)
        if self.source.private and not names_field:
            return Fault(line, column, message)
        width = end_column - column + 1 if line == end_line and self.end > self.start else 1
        text = self.source.document.line(line)
        if self.source.private:
            text = " " * (column - 1) + text[column - 1 : column - 1 + width]
        return Fault(line, column, message, point(text, line, column, max(width, 1)))


def shown(text: str) -> str:
    """Return an author's text as a message may repeat it: printable and short."""
    short = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return "".join(character if character.isprintable() else f"<{_name(character)}>" for character in short)


def combined(faults: Iterable[Fault], name: str) -> SpecError:
    """Return one error that lists all faults of a spec by line; of several at one place, only the first."""
    places: dict[tuple[int, int, str], Fault] = {}
    for fault in faults:
        places.setdefault((fault.line, fault.column, "" if fault.column else fault.message), fault)
    shown_faults = tuple(sorted(places.values())[:_MOST_FAULTS])
    texts = [fault.render(name) for fault in shown_faults]
    if len(places) == 1:
        return SpecError(texts[0], faults=shown_faults)
    more = f"\n… and {len(places) - _MOST_FAULTS} more." if len(places) > _MOST_FAULTS else ""
    return SpecError(f"{name}: {len(places)} faults:\n" + "\n".join(texts) + more, faults=shown_faults)


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


def point(text: str, line: int, column: int, width: int) -> str:
    """Return the line, clipped around the column, above a line of carets."""
    start = max(0, column - 1 - _WIDTH // 2) if len(text) > _WIDTH else 0
    window = "".join(character if character.isprintable() else " " for character in text[start : start + _WIDTH])
    margin = f"{line:>5} | "
    carets = "^" * min(width, _WIDTH - (column - 1 - start))
    return f"{margin}{window.rstrip()}\n{' ' * (len(margin) - 2)}| {' ' * (column - 1 - start)}{carets}"


_BLOCK_HEADER = re.compile(r"[|>][^\n]*\n?")


def _align(value: str, text: str, scalar: Scalar) -> tuple[int, ...]:
    """Return the place in a document's text of each character of a YAML value.

    YAML folds lines and drops quotes, but keeps the other characters and their order. Only escapes in double
    quotes change them: every character of such a value is placed at its beginning.
    """
    header = _BLOCK_HEADER.match(text, scalar.start) if scalar.style in {"|", ">"} else None
    at = header.end() if header else scalar.start + (scalar.style in {"'", '"'})
    if scalar.style == '"' and "\\" in text[scalar.start : scalar.end]:
        return (at,) * (len(value) + 1)
    offsets = []
    for character in value:
        if not character.isspace():
            at = max(at, text.find(character, at, scalar.end))
        offsets.append(at)
        at += not (character.isspace() and not text[at : at + 1].isspace())
    return (*offsets, min(at, scalar.end))
