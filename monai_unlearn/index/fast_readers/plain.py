"""The fast reader of plain DICOM files; it leaves all other files to pydicom.

A plain file is marked DICM, is little endian and not deflated, states its transfer syntax, has a common character set,
and ends with its pixel data. Whatever is unusual about a file is an `OddFileError`, never a guess.
"""

from __future__ import annotations

import os
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.index.fast_readers.elements import Header, HeaderReader, bytes_of
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
    from monai_unlearn.index.values import Value

_CHARSET = b"\x08\x00\x05\x00"
_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0)


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


def prepare() -> None:
    """Load what reading needs beside the files."""
    _columns(), _reader(), _describing(), _empty_row()


def read_whole(path: str) -> Header:
    """Read the header of a plain DICOM image whose elements lead to its pixel data, and which ends with them.

    Args:
        path: The file.

    Raises:
        OddFileError: The pydicom reader must read the file.
        OSError: The file cannot be opened or read.
    """
    descriptor = os.open(path, _OPEN)
    try:
        size = os.fstat(descriptor).st_size
        header = _reader().read(descriptor, size)
        _check_end(descriptor, header, size)
    finally:
        os.close(descriptor)
    return header


def _row(header: Header) -> Row:
    row: Row = dict(_empty_row())
    charset = header.elements.get(_CHARSET, ("", b""))[1].strip(b" \0")
    if not knows_plain_charset(charset):
        raise OddFileError
    columns = _columns()
    for tag, element in header.elements.items():
        found = columns.get(tag)
        if found is not None:
            keyword, known, column = found
            try:
                row[keyword] = known[element]
            except KeyError:
                row[keyword] = column.value(*element, charset)
    add_derived(row)
    return row


def _check_end(descriptor: int, header: Header, size: int) -> None:
    if header.length == UNDEFINED:
        if not header.syntax.is_encapsulated:
            raise OddFileError
        check_fragments(descriptor, header.offset, size)
        return
    is_whole = not header.syntax.is_encapsulated and header.offset + header.length == size
    if not is_whole or header.length < _needed_length(tuple(map(header.elements.get, _describing()))):
        raise OddFileError


@lru_cache(maxsize=256)
def _needed_length(elements: tuple[tuple[str, bytes] | None, ...]) -> int:
    """Return how many bytes the pixels take, given the elements of `_describing`."""
    numbers, photometric = {}, ""
    for keyword, element in zip(_describing().values(), elements, strict=True):
        vr, raw = element or ("", b"")
        if keyword == "PhotometricInterpretation":
            photometric = raw.decode("ascii", "replace").strip(" \0")
        elif vr == "US" and len(raw) == 2:  # noqa: PLR2004 - the size of an unsigned short
            numbers[keyword] = int.from_bytes(raw, "little")
        elif vr == "IS" and raw.strip(b" \0").isdigit():
            numbers[keyword] = int(raw.strip(b" \0"))
        elif raw:
            raise OddFileError
    return expected_length(numbers, photometric)


@cache
def _columns() -> Mapping[bytes, tuple[str, Mapping[tuple[str, bytes], Value], Column]]:
    """Return the keyword, the known values and the column of each tag, as bytes of a file."""
    return {bytes_of(column.tag): (column.keyword, column.known, column) for column in wanted_columns()}


@cache
def _describing() -> Mapping[bytes, str]:
    return {bytes_of(column.tag): column.keyword for column in map(column_of, DESCRIBES_PIXELS)}


@cache
def _reader() -> HeaderReader:
    """Return what takes the tags of a row from files, with the value representation of the dictionary for each."""
    columns = (*map(column_of, DESCRIBES_PIXELS), *wanted_columns())
    return HeaderReader({**{bytes_of(column.tag): column.vr for column in columns}, _CHARSET: "CS"})


@cache
def _empty_row() -> Mapping[str, str | None]:
    # A file with a value in doubt is left to pydicom.
    return {"format": FORMAT, **dict.fromkeys((*DOUBTS, *read_columns(), *derived_columns()))}
