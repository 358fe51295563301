"""What a run printed, for a screen that may be shared: image numbers and general words in place of identifiers."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.privacy import may_show_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monai_unlearn.index import Index

HIDDEN = "(not shown)"
_IMAGE = "image_id"
_MOST_WORDS = 20_000
"""Words that are remembered; a log has far fewer."""

# A word that may be a path, unless it counts ("3/10", "2.5it/s"); and a UID. Both are masked wherever they come from.
_SOLID = re.compile(r"[^\s'\",;=()\[\]{}]+")
_COUNT = re.compile(r"[\d.,]*[a-z]{0,2}/[\d.,]*[a-z%]{0,2}")
_UID = re.compile(r"(?<![\d.])\d{1,64}(?:\.\d{1,64}){4,}")
# What messages call an image by its identifier, which may have spaces in it.
_NAMED = re.compile(r"\b(image|patient|study|series) ([^\n]{1,300}?)(?=: )")
# What may be an identifier: a quoted text, or a word with a digit that is no plain measure.
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"")
_WORD = re.compile(r"[^\s'\",;:=()\[\]{}]+")
_MEASURE = re.compile(r"[-+]?\d{0,3}(?:[.,]\d+)?(?:e[-+]?\d+)?%?/?", re.IGNORECASE)


class Masking:
    """Replaces the identifiers of an index in texts.

    >>> Masking(None).masked("Error: image A 17: cannot be read from /archive/doe.dcm")
    'Error: image (not shown): cannot be read from (not shown)'

    Args:
        index: The index; None where there is none. Then only paths, UIDs, and what follows "image" are replaced.
    """

    def __init__(self, index: Index | None) -> None:
        self._index = index
        self._known: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def masked(self, text: str) -> str:
        """Return a text without identifiers; its images by their number in the index, from 1.

        Raises:
            OSError: A part of the index cannot be read.
        """
        words = set(_candidates(text))
        with self._lock:
            if len(self._known) > _MOST_WORDS:
                self._known.clear()
            if unknown := words - self._known.keys():
                self._known |= dict.fromkeys(unknown) | self._found(unknown)
            known = {word: shown for word in words if (shown := self._known[word]) is not None}
        # The longest first: one identifier may be a part of another.
        for word in sorted(known, key=len, reverse=True):
            text = text.replace(word, known[word])
        text = _NAMED.sub(_named, text)
        return _SOLID.sub(_place, _UID.sub(HIDDEN, text))

    def _found(self, words: Iterable[str]) -> dict[str, str]:
        """Return what stands in place of those words that are identifiers of the index."""
        if self._index is None:
            return {}
        asked, found, row = pa.array(sorted(words), pa.string()), dict[str, str](), 0
        names = [name for name, kind in self._index.columns.items() if kind is Kind.TEXT and not may_show_values(name)]
        for part in self._index.parts:
            rows = pq.read_table(part, columns=names)
            for name in names:
                column = rows[name].cast(pa.string())
                for word in column.filter(pc.is_in(column, value_set=asked)).unique().to_pylist():
                    number = f"number {row + pc.index(column, word).as_py() + 1:,}"
                    found[word] = number if name == _IMAGE else found.get(word, HIDDEN)
            row += rows.num_rows
        return found


def _candidates(text: str) -> Iterator[str]:
    """Yield what may be an identifier in a text."""
    yield from (found[2] for found in _NAMED.finditer(text))
    yield from (found[1] or found[2] for found in _QUOTED.finditer(text))
    for found in _WORD.finditer(text):
        word = found[0].rstrip(".!?")
        if any(map(str.isdigit, word)) and not _MEASURE.fullmatch(word):
            yield word


def _named(found: re.Match[str]) -> str:
    """Return a kind with the number that was put in already, or without a name."""
    return found[0] if found[2].startswith("number ") else f"{found[1]} {HIDDEN}"


def _place(found: re.Match[str]) -> str:
    word = found[0].rstrip(":.")
    if not ("/" in word or "\\" in word) or _COUNT.fullmatch(word):
        return found[0]
    return HIDDEN + found[0][len(word) :]
