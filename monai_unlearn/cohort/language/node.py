"""The base class of nodes, frozen and with a canonical text, and the values and references that conditions hold."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.vocabulary.folding import folding_matters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.cohort.language.source import Span

MAX_DEPTH = 50

# A word of a value that needs no quotes: the grammar's WORD. Words are separated by single spaces.
_PLAIN_WORD = re.compile(
    r"[^\s()\[\],'\"`\u2018\u2019\u201c\u201d=<>!@$\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+"
)
_NO_WORDS = {"and", "or", "not", "&", "&&", "|", "||"}
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class Node(ABC):
    """A node of a predicate's tree; `str(node)` is its canonical text."""

    depth: int = field(init=False, compare=False, repr=False, default=1)

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below this one."""
        return ()

    @abstractmethod
    def render(self, *, private: bool = False) -> str:
        """Return the canonical text; with `private`, without values that identify people."""

    def __str__(self) -> str:
        return self.render()

    def walk(self) -> Iterator[Node]:
        """Yield this node and every node below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def _set_depth(self) -> None:
        """Bound the depth, so that no function that recurses over nodes meets Python's limit."""
        depth = 1 + max((child.depth for child in self.children), default=0)
        if depth > MAX_DEPTH:
            raise ValueError(f"expected at most {MAX_DEPTH} nested levels, got more")
        object.__setattr__(self, "depth", depth)


@dataclass(frozen=True)
class Value:
    """What a term is compared with, as text; the kind of the term decides later what it means.

    >>> str(Value("Cirrus 800 FA")), str(Value("black and white"))
    ('Cirrus 800 FA', "'black and white'")

    Attributes:
        text: The value.
        exact: Whether it was quoted, so that texts are compared with it as it is, not folded. Always true of a value
            that needs quotes, and never of one for which it makes no difference.
    """

    text: str
    exact: bool = False
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if CONTROL.search(self.text):
            raise ValueError("expected a value without control characters")
        needs_quotes = not _is_plain(self.text)
        object.__setattr__(self, "exact", needs_quotes or (self.exact and folding_matters(self.text)))

    def __str__(self) -> str:
        return "'" + self.text.replace("'", "''") + "'" if self.exact else self.text


@dataclass(frozen=True)
class Reference:
    """`@name`: an entry of the spec's `value_sets`."""

    name: str
    at: Span | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(self.name):
            raise ValueError("expected the name of a value set: letters, digits and _")

    def __str__(self) -> str:
        return f"@{self.name}"


def _is_plain(text: str) -> bool:
    """Whether a value parses as itself without quotes."""
    words = text.split(" ")
    return text.lower() != "null" and all(
        _PLAIN_WORD.fullmatch(word) and word.lower() not in _NO_WORDS for word in words
    )
