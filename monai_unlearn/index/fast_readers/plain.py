"""The fast reader of plain DICOM files: it walks their top-level elements, and leaves all others to pydicom.

A plain file is marked DICM, is little endian and not deflated, names its transfer syntax, is of a plain character set,
and ends where its pixel data ends. What is odd about a file in any way is an `OddFileError`, never a guess.
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

from monai_unlearn.index.fast_readers.pixels import DESCRIBES_PIXELS, check_fragments, expected_length
from monai_unlearn.index.fast_readers.values import (
    LONGEST_VALUE,
    Column,
    OddFileError,
    column_of,
    knows_plain_charset,
    wanted_columns,
)
from monai_unlearn.index.readers.dicom import FORMAT, HEAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.index.readers import Row

# The header of most files is in the first of these reads, in bytes; a longer one is odd.
_READS = (8 * 1024, 64 * 1024, 1024 * 1024)
_DEEPEST = 16
_META, _COMMAND = b"\x02\x00", b"\x00\x00"
_TRANSFER_SYNTAX, _CHARSET, _PIXEL_DATA = b"\x02\x00\x10\x00", b"\x08\x00\x05\x00", b"\xe0\x7f\x10\x00"
_OTHER_PIXELS = frozenset((b"\xe0\x7f\x08\x00", b"\xe0\x7f\x09\x00"))
_ITEM, _END_OF_ITEM, _END_OF_SEQUENCE = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
_UNDEFINED = 0xFFFFFFFF
# Value representations by the form of their length (DICOM PS3.5 section 7.1.2).
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())

_Elements = dict[bytes, tuple[bytes, bytes]]  # by tag: the value representation, the value


@dataclass
class _Header:
    """The elements of a file that are wanted, and where its pixel data is."""

    elements: _Elements
    syntax: UID
    offset: int
    length: int


def read_plain(path: str) -> Row:
    """Read the row of a plain DICOM image.

    Args:
        path: The file.

    Raises:
        OddFileError: The pydicom reader must read it.
        OSError: The file cannot be opened or read.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(descriptor).st_size
        header = _header(descriptor, size)
        row = _row(header)
        _check_end(descriptor, header, size)
    finally:
        os.close(descriptor)
    if row["SOPInstanceUID"] is None:
        raise OddFileError
    return row


def _header(descriptor: int, size: int) -> _Header:
    content = b""
    for length in _READS:
        content += os.read(descriptor, length)
        if content[128:HEAD] != b"DICM":
            raise OddFileError
        try:
            return _walk(content)
        except _MoreError:
            if len(content) >= size:
                break
    raise OddFileError


class _MoreError(Exception):
    """The header goes on behind what has been read."""


def _walk(content: bytes) -> _Header:
    syntax, position = _meta(content)
    if syntax.is_implicit_VR:
        return _walk_implicit(content, position, syntax)
    return _walk_explicit(content, position, syntax)


def _meta(content: bytes) -> tuple[UID, int]:
    """Read the File Meta Information (DICOM PS3.10 section 7.1): explicit little endian in every file."""
    position, syntax = HEAD, b""
    while content[position : position + 2] == _META:
        tag = content[position : position + 4]
        start, length = _explicit(content, position)
        position = start + length
        if tag == _TRANSFER_SYNTAX:
            syntax = content[start:position]
    if position > len(content):
        raise _MoreError
    return _known_syntax(syntax), position


@cache
def _known_syntax(raw: bytes) -> UID:
    # Without a check of pydicom's own, which quotes what it does not like.
    uid = UID(raw.rstrip(b"\0").decode("ascii", "replace"), IGNORE)
    if not uid.is_transfer_syntax or uid.is_private or uid in (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian):
        raise OddFileError
    if not (uid.is_encapsulated or uid in (ImplicitVRLittleEndian, ExplicitVRLittleEndian)):
        raise OddFileError
    return uid


def _explicit(content: bytes, position: int) -> tuple[int, int]:
    """Return where the value of an explicit element begins, and its length."""
    vr = content[position + 4 : position + 6]
    if vr in _SHORT:
        return position + 8, int.from_bytes(content[position + 6 : position + 8], "little")
    if vr in _LONG:
        return position + 12, int.from_bytes(content[position + 8 : position + 12], "little")
    raise OddFileError if position + 12 <= len(content) else _MoreError


def _walk_explicit(content: bytes, position: int, syntax: UID) -> _Header:
    # The one loop that takes time: what `_explicit` does stands here once more, without the call.
    wanted, end, number = _wanted(), len(content) - 12, int.from_bytes
    elements: _Elements = {}
    while position <= end:
        tag, vr = content[position : position + 4], content[position + 4 : position + 6]
        if vr in _SHORT:
            start = position + 8
            length = number(content[position + 6 : start], "little")
        elif vr in _LONG:
            start = position + 12
            length = number(content[position + 8 : start], "little")
            if tag == _PIXEL_DATA:
                return _Header(elements, syntax, start, length)
            if length == _UNDEFINED:
                position = _behind(content, start, vr)
                continue
        else:
            raise OddFileError
        position = start + length
        if tag in wanted:
            _take(elements, tag, vr, content[start:position], length)
    raise _MoreError


def _walk_implicit(content: bytes, position: int, syntax: UID) -> _Header:
    wanted, end = _wanted(), len(content) - 8
    elements: _Elements = {}
    vr = content[position + 4 : position + 6]
    if vr.isalpha() and vr.isupper():  # explicit all the same, which pydicom sees
        raise OddFileError
    while position <= end:
        tag = content[position : position + 4]
        start = position + 8
        length = int.from_bytes(content[position + 4 : start], "little")
        if tag == _PIXEL_DATA:
            return _Header(elements, syntax, start, length)
        if length == _UNDEFINED:
            position = _behind(content, start, b"SQ", is_implicit=True)
            continue
        position = start + length
        if tag in wanted:
            _take(elements, tag, wanted[tag], content[start:position], length)
    raise _MoreError


def _take(elements: _Elements, tag: bytes, vr: bytes, value: bytes, length: int) -> None:
    if length > LONGEST_VALUE or tag in _OTHER_PIXELS:
        raise OddFileError
    if len(value) < length:
        raise _MoreError
    elements[tag] = (vr, value)  # of a tag that stands twice the last counts, as it does for pydicom


def _behind(content: bytes, position: int, vr: bytes, *, is_implicit: bool = False, depth: int = 0) -> int:
    """Return where a sequence of undefined length ends (DICOM PS3.5 section 7.5)."""
    if vr != b"SQ" or depth > _DEEPEST:
        raise OddFileError
    while position + 8 <= len(content):
        tag = content[position : position + 4]
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        position += 8
        if tag == _END_OF_SEQUENCE:
            return position
        if tag != _ITEM:
            raise OddFileError
        position = (
            position + length
            if length != _UNDEFINED
            else _behind_item(content, position, is_implicit=is_implicit, depth=depth)
        )
    raise _MoreError


def _behind_item(content: bytes, position: int, *, is_implicit: bool, depth: int) -> int:
    while position + 8 <= len(content):
        if content[position : position + 4] == _END_OF_ITEM:
            return position + 8
        vr = b"SQ" if is_implicit else content[position + 4 : position + 6]
        start, length = (
            (position + 8, int.from_bytes(content[position + 4 : position + 8], "little"))
            if is_implicit
            else _explicit(content, position)
        )
        position = (
            start + length
            if length != _UNDEFINED
            else _behind(content, start, vr, is_implicit=is_implicit, depth=depth + 1)
        )
    raise _MoreError


def _row(header: _Header) -> Row:
    row: Row = dict(_empty_row())
    charset = header.elements.get(_CHARSET, (b"", b""))[1].strip(b" \0")
    if not knows_plain_charset(charset):
        raise OddFileError
    columns = _columns()
    for tag, (vr, raw) in header.elements.items():
        column = columns.get(tag)
        if column is not None and raw:
            row[column.keyword] = column.value(vr.decode("ascii"), raw, charset)
    return row


def _check_end(descriptor: int, header: _Header, size: int) -> None:
    if header.length == _UNDEFINED:
        if not header.syntax.is_encapsulated:
            raise OddFileError
        check_fragments(descriptor, header.offset, size)
        return
    is_whole = not header.syntax.is_encapsulated and header.offset + header.length == size
    if not is_whole or header.length < expected_length(*_described(header)):
        raise OddFileError


def _described(header: _Header) -> tuple[dict[str, int], str]:
    numbers, photometric = {}, ""
    for tag, column in _describing().items():
        vr, raw = header.elements.get(tag, (b"", b""))
        if column.keyword == "PhotometricInterpretation":
            photometric = raw.decode("ascii", "replace").strip(" \0")
        elif vr == b"US" and len(raw) == 2:  # noqa: PLR2004 - the size of an unsigned short
            numbers[column.keyword] = int.from_bytes(raw, "little")
        elif vr == b"IS" and raw.strip(b" \0").isdigit():
            numbers[column.keyword] = int(raw.strip(b" \0"))
        elif raw:
            raise OddFileError
    return numbers, photometric


@cache
def _columns() -> Mapping[bytes, Column]:
    return {_bytes(column): column for column in wanted_columns()}


@cache
def _describing() -> Mapping[bytes, Column]:
    return {_bytes(column): column for column in map(column_of, DESCRIBES_PIXELS)}


@cache
def _wanted() -> Mapping[bytes, bytes]:
    """Return the tags to take, as they stand in a file, each with its value representation in the dictionary."""
    columns = {**_describing(), **_columns()}
    return {
        **{tag: column.vr.encode() for tag, column in columns.items()},
        **dict.fromkeys((_CHARSET, *_OTHER_PIXELS), b"CS"),
    }


@cache
def _empty_row() -> Mapping[str, str | None]:
    return {"format": FORMAT, **dict.fromkeys(column.keyword for column in wanted_columns())}


def _bytes(column: Column) -> bytes:
    return (column.tag >> 16).to_bytes(2, "little") + (column.tag & 0xFFFF).to_bytes(2, "little")
