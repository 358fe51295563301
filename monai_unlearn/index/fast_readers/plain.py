"""The fast reader of plain DICOM files; it leaves all other files to pydicom.

A plain file is marked DICM, is little endian and not deflated, states its transfer syntax, has a common character set,
and ends with its pixel data. Whatever is unusual about a file is an `OddFileError`, never a guess.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.index.fast_readers.elements import Header, bytes_of, odd_elements, read_elements
from monai_unlearn.index.fast_readers.pixels import check_fragments, expected_length
from monai_unlearn.index.fast_readers.sequences import UNDEFINED
from monai_unlearn.index.fast_readers.values import (
    Column,
    OddFileError,
    add_derived,
    column_of,
    knows_plain_charset,
    wanted_columns,
)
from monai_unlearn.index.readers.deflated import FORMAT
from monai_unlearn.index.readers.pixels import DESCRIBES_PIXELS
from monai_unlearn.index.readers.row import derived_columns, read_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.index.readers import Row

_CHARSET = b"\x08\x00\x05\x00"


def read_plain(path: str) -> Row:
    """Read the row of a plain DICOM image.

    Args:
        path: The file.

    Raises:
        OddFileError: The pydicom reader must read the file.
        OSError: The file cannot be opened or read.
    """
    row = _row(read_whole(path))
    if row["SOPInstanceUID"] is None:
        raise OddFileError
    return row


def read_whole(path: str) -> Header:
    """Read the header of a plain DICOM image whose elements lead to its pixel data, and which ends with them.

    Args:
        path: The file.

    Raises:
        OddFileError: The pydicom reader must read the file.
        OSError: The file cannot be opened or read.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(descriptor).st_size
        header = read_elements(descriptor, size, _wanted())
        _check_end(descriptor, header, size)
    finally:
        os.close(descriptor)
    return header


def _row(header: Header) -> Row:
    row: Row = dict(_empty_row())
    charset = header.elements.get(_CHARSET, (b"", b""))[1].strip(b" \0")
    if not knows_plain_charset(charset):
        raise OddFileError
    columns = _columns()
    for tag, (vr, raw) in header.elements.items():
        column = columns.get(tag)
        if column is not None and raw:
            row[column.keyword] = column.value(vr.decode("ascii"), raw, charset)
    add_derived(row)
    return row


def _check_end(descriptor: int, header: Header, size: int) -> None:
    if header.length == UNDEFINED:
        if not header.syntax.is_encapsulated:
            raise OddFileError
        check_fragments(descriptor, header.offset, size)
        return
    is_whole = not header.syntax.is_encapsulated and header.offset + header.length == size
    if not is_whole or header.length < expected_length(*_described(header)):
        raise OddFileError


def _described(header: Header) -> tuple[dict[str, int], str]:
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
    return {bytes_of(column.tag): column for column in wanted_columns()}


@cache
def _describing() -> Mapping[bytes, Column]:
    return {bytes_of(column.tag): column for column in map(column_of, DESCRIBES_PIXELS)}


@cache
def _wanted() -> Mapping[bytes, bytes]:
    """Return the tags to take, as bytes of a file, with the value representation that the dictionary has for each."""
    columns = {**_describing(), **_columns()}
    return {
        **{tag: column.vr.encode() for tag, column in columns.items()},
        **dict.fromkeys((_CHARSET, *odd_elements()), b"CS"),
    }


@cache
def _empty_row() -> Mapping[str, str | None]:
    # A file with a value in doubt is left to pydicom.
    return {"format": FORMAT, **dict.fromkeys((*DOUBTS, *read_columns(), *derived_columns()))}
