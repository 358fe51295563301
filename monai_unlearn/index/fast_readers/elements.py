"""Walking the top-level elements of a little endian DICOM file up to its pixel data, without pydicom.

Whatever is unusual about a file is an `OddFileError`, never a guess.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pydicom.config import IGNORE
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from monai_unlearn.index.fast_readers.sequences import (
    LONG,
    SHORT,
    UNDEFINED,
    MoreError,
    end_of_sequence,
)
from monai_unlearn.index.fast_readers.values import OddFileError, odd_tags
from monai_unlearn.index.readers.deflated import HEAD
from monai_unlearn.index.readers.header import LONGEST_VALUE

if TYPE_CHECKING:
    from collections.abc import Mapping

# The header of most files fits into the first of these reads, in bytes; a file with a longer one is odd.
_READS = (8 * 1024, 64 * 1024, 1024 * 1024)
_META = b"\x02\x00"
_TRANSFER_SYNTAX, _PIXEL_DATA = b"\x02\x00\x10\x00", b"\xe0\x7f\x10\x00"
# FloatPixelData, DoubleFloatPixelData
_OTHER_PIXELS = (0x7FE00008, 0x7FE00009)
_REPRESENTATIONS = {vr: vr.decode() for vr in SHORT | LONG}
_MOST_HEADS = 4096
# In place of a step: the length is behind the head, or the pixel data begins.
_LONG, _PIXELS = 0, -1

Elements = dict[bytes, tuple[str, bytes]]  # by tag: the value representation, the value
# What the head of an element, its first eight bytes, says: how far the next one is, the tag if it is wanted, the VR.
_Head = tuple[int, bytes | None, str]


class Syntax(NamedTuple):
    """A transfer syntax; pydicom looks up these properties each time that it is asked."""

    uid: UID
    is_implicit: bool
    is_encapsulated: bool


@dataclass
class Header:
    """The wanted elements of a file, and where its pixel data is.

    Attributes:
        elements: By tag, as its four bytes in the file: the value representation and the value.
        syntax: The transfer syntax.
        offset: Where the value of the pixel data begins, in bytes.
        length: The declared length of the pixel data, in bytes; `UNDEFINED` if it is encapsulated.
    """

    elements: Elements
    syntax: Syntax
    offset: int
    length: int


class HeaderReader:
    """Reads headers of files, and remembers the heads of elements: these repeat from file to file.

    Args:
        wanted: The tags to take, as four bytes, with the value representation that the dictionary has for each. Files
            that have one of `odd_elements` are odd.
    """

    def __init__(self, wanted: Mapping[bytes, str]) -> None:
        self._wanted = {_TRANSFER_SYNTAX: "UI", **wanted}
        self._takes_syntax = _TRANSFER_SYNTAX in wanted
        self._explicit: dict[bytes, _Head] = {}
        self._implicit: dict[bytes, _Head] = {}

    def read(self, descriptor: int, size: int) -> Header:
        """Read the header of an open file.

        Args:
            descriptor: The file, at its start.
            size: Its size in bytes.

        Raises:
            OddFileError: The pydicom reader must read the file.
            OSError: The file cannot be read.
        """
        content = b""
        for length in _READS:
            content += os.read(descriptor, length)
            if content[128:HEAD] != b"DICM":
                raise OddFileError
            try:
                return self._walk(content)
            except MoreError:
                if len(content) >= size:
                    break
        raise OddFileError

    def _walk(self, content: bytes) -> Header:
        elements: Elements = {}
        syntax, position = self._meta(content, elements)
        if syntax.is_implicit:
            return self._walk_implicit(content, position, syntax, elements)
        return self._walk_explicit(content, position, syntax, elements)

    def _meta(self, content: bytes, elements: Elements) -> tuple[Syntax, int]:
        """Read the File Meta Information (DICOM PS3.10 section 7.1): explicit little endian in every file."""
        position, heads, end = HEAD, self._explicit, len(content) - 12
        while content[position : position + 2] == _META:
            if position > end:
                raise MoreError
            head = content[position : position + 8]
            step, tag, vr = heads.get(head) or self._learn_explicit(head)
            if not step:
                position = self._skip_long(content, position, tag, vr, elements)
                continue
            if tag is not None:
                elements[tag] = (vr, content[position + 8 : position + step])
            position += step
        if position > end:
            raise MoreError
        found = elements.get(_TRANSFER_SYNTAX) if self._takes_syntax else elements.pop(_TRANSFER_SYNTAX, None)
        return _known_syntax(found[1] if found else b""), position

    def _walk_explicit(self, content: bytes, position: int, syntax: Syntax, elements: Elements) -> Header:
        # The loop that takes time: most elements cost one look-up.
        heads, end, number = self._explicit, len(content) - 12, int.from_bytes
        while position <= end:
            head = content[position : position + 8]
            step, tag, vr = heads.get(head) or self._learn_explicit(head)
            if step > 0:
                if tag is not None:
                    elements[tag] = (vr, content[position + 8 : position + step])
                position += step
                continue
            start = position + 12
            length = number(content[position + 8 : start], "little")
            if step == _PIXELS:
                return Header(elements, syntax, start, length)
            if tag is None and length != UNDEFINED:
                position = start + length
            else:
                position = self._skip_long(content, position, tag, vr, elements)
        raise MoreError

    def _skip_long(self, content: bytes, position: int, tag: bytes | None, vr: str, elements: Elements) -> int:
        """Return where an element ends whose length is in four bytes behind its head; take it if it is wanted."""
        start = position + 12
        length = int.from_bytes(content[position + 8 : start], "little")
        if tag is None:
            return end_of_sequence(content, start, vr.encode()) if length == UNDEFINED else start + length
        if length > LONGEST_VALUE:  # or undefined
            raise OddFileError
        elements[tag] = (vr, content[start : start + length])
        return start + length

    def _walk_implicit(self, content: bytes, position: int, syntax: Syntax, elements: Elements) -> Header:
        heads, end = self._implicit, len(content) - 8
        vr = content[position + 4 : position + 6]
        if vr.isalpha() and vr.isupper():  # explicit in spite of its transfer syntax, which pydicom notices
            raise OddFileError
        while position <= end:
            head = content[position : position + 8]
            step, tag, known = heads.get(head) or self._learn_implicit(head)
            if step > 0:
                if tag is not None:
                    elements[tag] = (known, content[position + 8 : position + step])
                position += step
            elif step == _PIXELS:
                return Header(elements, syntax, position + 8, int.from_bytes(head[4:], "little"))
            else:
                position = end_of_sequence(content, position + 8, b"SQ", is_implicit=True)
        raise MoreError

    def _learn_explicit(self, head: bytes) -> _Head:
        tag, vr = head[:4], _REPRESENTATIONS.get(head[4:6])
        wanted = self._check(tag, vr)
        if vr is None:
            raise OddFileError
        if head[4:6] in LONG:
            return _keep(self._explicit, head, (_PIXELS if tag == _PIXEL_DATA else _LONG, wanted, vr))
        length = int.from_bytes(head[6:], "little")
        if wanted is not None and length > LONGEST_VALUE:
            raise OddFileError
        return _keep(self._explicit, head, (8 + length, wanted, vr))

    def _learn_implicit(self, head: bytes) -> _Head:
        tag, length = head[:4], int.from_bytes(head[4:], "little")
        vr = self._wanted.get(tag, "")
        wanted = self._check(tag, vr)
        if tag == _PIXEL_DATA:
            return _keep(self._implicit, head, (_PIXELS, None, vr))
        if wanted is not None and length > LONGEST_VALUE:  # or undefined
            raise OddFileError
        return _keep(self._implicit, head, (_LONG if length == UNDEFINED else 8 + length, wanted, vr))

    def _check(self, tag: bytes, vr: str | None) -> bytes | None:
        """Return the tag if it is wanted; refuse files that the pydicom reader must read."""
        if tag in odd_elements() or (vr == "SQ" and tag in self._wanted):
            raise OddFileError
        return tag if tag in self._wanted else None


def _keep(heads: dict[bytes, _Head], head: bytes, found: _Head) -> _Head:
    if len(heads) >= _MOST_HEADS:
        heads.clear()
    heads[head] = found
    return found


@cache
def _known_syntax(raw: bytes) -> Syntax:
    # IGNORE: pydicom's own check would quote what it rejects.
    uid = UID(raw.rstrip(b"\0").decode("ascii", "replace"), IGNORE)
    if not uid.is_transfer_syntax or uid.is_private or uid in (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian):
        raise OddFileError
    if not (uid.is_encapsulated or uid in (ImplicitVRLittleEndian, ExplicitVRLittleEndian)):
        raise OddFileError
    return Syntax(uid, uid.is_implicit_VR, uid.is_encapsulated)


def bytes_of(tag: int) -> bytes:
    """Return a tag as its four bytes in a little endian file."""
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")


@cache
def odd_elements() -> frozenset[bytes]:
    """Return the tags, as bytes of a file, whose files the pydicom reader must read."""
    return frozenset(map(bytes_of, (*_OTHER_PIXELS, *odd_tags())))
