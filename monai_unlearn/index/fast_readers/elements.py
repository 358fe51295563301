"""Walking the top-level elements of a little endian DICOM file up to its pixel data, without pydicom.

Whatever is unusual about a file is an `OddFileError`, never a guess.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

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
    explicit_value,
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

Elements = dict[bytes, tuple[bytes, bytes]]  # by tag: the value representation, the value


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
    syntax: UID
    offset: int
    length: int


def read_elements(descriptor: int, size: int, wanted: Mapping[bytes, bytes]) -> Header:
    """Read the header of an open file.

    Args:
        descriptor: The file, at its start.
        size: Its size in bytes.
        wanted: The tags to take, as four bytes, with the value representation that the dictionary has for each;
            `odd_elements` must be among them.

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
            header = _walk(content, wanted)
        except MoreError:
            if len(content) >= size:
                break
        else:
            if not odd_elements().isdisjoint(header.elements):
                break
            return header
    raise OddFileError


def _walk(content: bytes, wanted: Mapping[bytes, bytes]) -> Header:
    elements: Elements = {}
    syntax, position = _meta(content, wanted, elements)
    if syntax.is_implicit_VR:
        return _walk_implicit(content, position, syntax, wanted, elements)
    return _walk_explicit(content, position, syntax, wanted, elements)


def _meta(content: bytes, wanted: Mapping[bytes, bytes], elements: Elements) -> tuple[UID, int]:
    """Read the File Meta Information (DICOM PS3.10 section 7.1): explicit little endian in every file."""
    position, syntax = HEAD, b""
    while content[position : position + 2] == _META:
        tag, vr = content[position : position + 4], content[position + 4 : position + 6]
        start, length = explicit_value(content, position)
        position = start + length
        if tag == _TRANSFER_SYNTAX:
            syntax = content[start:position]
        if tag in wanted:
            _take(elements, tag, vr, content[start:position], length)
    if position > len(content):
        raise MoreError
    return _known_syntax(syntax), position


@cache
def _known_syntax(raw: bytes) -> UID:
    # IGNORE: pydicom's own check would quote what it rejects.
    uid = UID(raw.rstrip(b"\0").decode("ascii", "replace"), IGNORE)
    if not uid.is_transfer_syntax or uid.is_private or uid in (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian):
        raise OddFileError
    if not (uid.is_encapsulated or uid in (ImplicitVRLittleEndian, ExplicitVRLittleEndian)):
        raise OddFileError
    return uid


def _walk_explicit(
    content: bytes, position: int, syntax: UID, wanted: Mapping[bytes, bytes], elements: Elements
) -> Header:
    # The one loop that takes time: it repeats `explicit_value` inline, without the call.
    end, number = len(content) - 12, int.from_bytes
    while position <= end:
        tag, vr = content[position : position + 4], content[position + 4 : position + 6]
        if vr in SHORT:
            start = position + 8
            length = number(content[position + 6 : start], "little")
        elif vr in LONG:
            start = position + 12
            length = number(content[position + 8 : start], "little")
            if tag == _PIXEL_DATA:
                return Header(elements, syntax, start, length)
            if length == UNDEFINED:
                if tag in wanted:
                    raise OddFileError  # nested values
                position = end_of_sequence(content, start, vr)
                continue
        else:
            raise OddFileError
        position = start + length
        if tag in wanted:
            _take(elements, tag, vr, content[start:position], length)
    raise MoreError


def _walk_implicit(
    content: bytes, position: int, syntax: UID, wanted: Mapping[bytes, bytes], elements: Elements
) -> Header:
    end = len(content) - 8
    vr = content[position + 4 : position + 6]
    if vr.isalpha() and vr.isupper():  # explicit in spite of its transfer syntax, which pydicom notices
        raise OddFileError
    while position <= end:
        tag = content[position : position + 4]
        start = position + 8
        length = int.from_bytes(content[position + 4 : start], "little")
        if tag == _PIXEL_DATA:
            return Header(elements, syntax, start, length)
        if length == UNDEFINED:
            if tag in wanted:
                raise OddFileError  # nested values
            position = end_of_sequence(content, start, b"SQ", is_implicit=True)
            continue
        position = start + length
        if tag in wanted:
            _take(elements, tag, wanted[tag], content[start:position], length)
    raise MoreError


def bytes_of(tag: int) -> bytes:
    """Return a tag as its four bytes in a little endian file."""
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")


@cache
def odd_elements() -> frozenset[bytes]:
    """Return the tags, as bytes of a file, whose files the pydicom reader must read."""
    return frozenset(map(bytes_of, (*_OTHER_PIXELS, *odd_tags())))


def _take(elements: Elements, tag: bytes, vr: bytes, value: bytes, length: int) -> None:
    if length > LONGEST_VALUE or vr == b"SQ":
        raise OddFileError
    if len(value) < length:
        raise MoreError
    elements[tag] = (vr, value)  # the last of repeated tags counts, as for pydicom
