"""What a run printed, for a screen that may be shared: image numbers and general words in place of identifiers."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.parts import PARTS, SPLITS
from monai_unlearn.vocabulary.privacy import may_show_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monai_unlearn.index import Index

HIDDEN = "(not shown)"
_IMAGE = "image_id"
_MOST_WORDS = 20_000
"""Words that are remembered; a log has far fewer."""

# A word that may be a path, unless it counts ("3/10", "2.5it/s"); and a UID. Both are masked wherever they come from.
_SOLID = re.compile(r"[^\s'\",;=()\[\]{}]+")
_COUNT = re.compile(r"[\d.,]*[a-z]{0,2}/[\d.,]*[a-z%]{0,2}")
_UID = re.compile(r"(?<![\d.])\d{1,64}(?:\.\d{1,64}){4,}")
_MEASURE = re.compile(r"[-+]?\d{0,3}(?:[.,]\d+)?(?:e[-+]?\d+)?%?/?", re.IGNORECASE)
# Words of the tool itself: even if somebody is called so, they tell nothing of anybody.
_SMALL = "a an and as at by for in is it no none not of on or than the to with yes"
_OWN = frozenset((*PARTS, *SPLITS, *_SMALL.split()))

_KIND = r"\b(?:image|patient|study|series|id|identifier)s?\b|\bstudies\b"
_ITEM = rf"(?!{_KIND})[^\s'\",;:=()\[\]{{}}]+"
_TOKEN = re.compile(
    # What messages call an image by its identifier, which may have spaces in it.
    r"\b(?P<kind>image|patient|study|series) (?P<named>[^\n]{1,300}?)(?=: )"
    # What is listed, where even a plain number is a name: "images 3, 17", "these changed: 3, 17".
    rf"|(?P<head>(?:{_KIND}|[:=(])\s*)(?P<listed>{_ITEM}(?:(?:,\s*|\s+and\s+){_ITEM})*)"
    r"|(?P<quote>['\"])(?P<quoted>[^'\"\n]+)(?P=quote)"
    r"|(?P<word>[^\s'\",;:=()\[\]{}]+)"
)
_LISTED = re.compile(r"[^\s,]+")


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
        words = {word for found in _TOKEN.finditer(text) for word in _candidates(found)}
        with self._lock:
            if len(self._known) > _MOST_WORDS:
                self._known.clear()
            if unknown := words - self._known.keys():
                self._known |= dict.fromkeys(unknown) | self._found(unknown)
            known = {word: shown for word in words if (shown := self._known[word]) is not None}
        # In one pass: a number that was put in may be the identifier of another image.
        text = _TOKEN.sub(lambda found: _replaced(found, known), text)
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


def _candidates(found: re.Match[str]) -> Iterator[str]:
    """Yield what may be an identifier in a piece of text."""
    if found["named"] or found["quoted"]:
        yield found["named"] or found["quoted"]
    elif found["listed"]:
        yield from {_bare(word) for word in _LISTED.findall(found["listed"])} - _OWN
    elif not _MEASURE.fullmatch(word := _bare(found["word"])) and word not in _OWN:
        yield word


def _replaced(found: re.Match[str], known: Mapping[str, str]) -> str:
    """Return a piece of text with what stands in place of its identifiers."""
    if found["named"]:
        return f"{found['kind']} {known.get(found['named'], HIDDEN)}"
    if found["quoted"]:
        return f"{found['quote']}{known.get(found['quoted'], found['quoted'])}{found['quote']}"
    if found["listed"]:
        return found["head"] + _LISTED.sub(lambda one: _word(one[0], known), found["listed"])
    return _word(found["word"], known) if any(_candidates(found)) else found[0]


def _word(word: str, known: Mapping[str, str]) -> str:
    bare = _bare(word)
    return known[bare] + word[len(bare) :] if bare in known else word


def _bare(word: str) -> str:
    return word.rstrip(".!?")


def _place(found: re.Match[str]) -> str:
    word = found[0].rstrip(":.")
    if not ("/" in word or "\\" in word) or _COUNT.fullmatch(word):
        return found[0]
    return HIDDEN + found[0][len(word) :]
