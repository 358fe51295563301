"""How many distinct texts there are, and which are blank: exact, and fast where nearly all texts differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.cohort.query.arrays import known, numbers, of_mask

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Places = npt.NDArray[np.int64]

_WORD = 8
_AT_ONCE = 16_384
# From xxHash: an odd number, so that multiplying by it loses nothing, with its bits mixed well.
_PRIME = np.uint64(0x9E3779B185EBCA87)
_SPACE, _ASCII = 0x20, 0x80


def count_distinct(texts: pa.Array, mask: npt.NDArray[np.bool_]) -> int:
    """Return how many distinct texts the chosen rows have.

    Each text gets a number that depends on all its bytes. Texts with different numbers differ; those that share their
    number, few if nearly all texts differ, are compared.

    Args:
        texts: The texts, a string array of shape (rows,).
        mask: The rows, all of which have a text, shape (rows,).
    """
    starts, ends, content = _parts(texts)
    keys = _keys(starts, ends, content)[mask]
    ordered = np.sort(keys)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(repeated):
        return len(keys)
    shares = np.zeros(len(texts), dtype=bool)
    shares[np.flatnonzero(mask)] = np.isin(keys, repeated)
    return int(len(keys) - shares.sum() + pc.count_distinct(texts.filter(of_mask(shares))).as_py())


def is_blank(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which texts are missing or white space alone, shape (rows,).

    Args:
        texts: The texts, a string array of shape (rows,).
    """
    found: npt.NDArray[np.bool_] = ~known(texts)
    starts, ends, content = _parts(texts)
    filled = np.flatnonzero(ends > starts)
    first = content[starts[filled]]
    # What begins with a visible ASCII character is not blank.
    doubtful = ends <= starts
    doubtful[filled] = (first <= _SPACE) | (first >= _ASCII)
    if doubtful.any():
        some = texts.filter(of_mask(doubtful))
        found[doubtful] |= numbers(pc.fill_null(pc.binary_length(pc.utf8_trim_whitespace(some)), 0)) == 0
    return found


def _parts(texts: pa.Array) -> tuple[Places, Places, Bytes]:
    """Return where each text begins and ends, and the bytes of all."""
    large = texts.cast(pa.large_string())
    _, offsets, content = large.buffers()
    if not len(large):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8)
    places = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
    return places[:-1], places[1:], np.frombuffer(content, np.uint8) if content else np.zeros(0, np.uint8)


def _keys(starts: Places, ends: Places, content: Bytes) -> npt.NDArray[np.uint64]:
    """Return a number for each text: equal texts have equal numbers, and others nearly always different ones."""
    keys = np.empty(len(starts), np.uint64)
    if not len(keys):
        return keys
    if len(content) - starts[-1] < _WORD:  # so that a word can be read where each text begins
        content = np.append(content, np.zeros(_WORD, np.uint8))
    words: npt.NDArray[Any] = np.ndarray((len(content) - _WORD + 1,), np.dtype("<u8"), content.data, 0, (1,))
    steps = -(-int((ends - starts).max()) // _WORD)  # the same for all texts: equal ones may be in different blocks
    # Some texts at a time: what is computed of them stays in the cache of the processor.
    for first in range(0, len(starts), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        keys[some] = _keys_of(starts[some], ends[some], words, steps)
    return keys


def _keys_of(starts: Places, ends: Places, words: npt.NDArray[Any], steps: int) -> npt.NDArray[np.uint64]:
    lengths = ends - starts
    keys: npt.NDArray[np.uint64] = lengths.astype(np.uint64)
    short = lengths < _WORD
    has_short = bool(short.any())
    last = np.where(short, starts, ends - _WORD)
    for step in range(steps):
        word = words[np.minimum(starts + _WORD * step, last)]
        if has_short:
            word = np.where(short, word & _bytes_below(lengths), word)
        keys = (keys ^ word) * _PRIME
        keys ^= keys >> np.uint64(29)
    return keys


def _bytes_below(lengths: Places) -> npt.NDArray[np.uint64]:
    """Return a mask of as many low bytes as each length says, up to seven."""
    bits = (np.minimum(lengths, _WORD - 1) * _WORD).astype(np.uint64)
    mask: npt.NDArray[np.uint64] = (np.uint64(1) << bits) - np.uint64(1)
    return mask
