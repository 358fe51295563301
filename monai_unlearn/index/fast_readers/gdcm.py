"""GDCM as a reader of many DICOM files at once; what it does not return for certain is left to pydicom.

GDCM returns values as C strings, without the value representation that the file states, and reports neither how a file
ends nor an element that declares more bytes than the file has. So a file counts as read only if the plain reader finds
the same texts, and that its elements lead to uncompressed pixel data, which end the file. The C++ code may crash on a
malformed file: run it in a worker process.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.index.fast_readers.elements import Header, bytes_of
from monai_unlearn.index.fast_readers.plain import read_whole
from monai_unlearn.index.fast_readers.values import (
    Column,
    OddFileError,
    add_derived,
    knows_plain_charset,
    wanted_columns,
)
from monai_unlearn.index.readers.deflated import FORMAT, HEAD
from monai_unlearn.index.readers.header import LONGEST_VALUE
from monai_unlearn.index.readers.row import read_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from monai_unlearn.index.readers import Row
    from monai_unlearn.index.values import Value

_TRANSFER_SYNTAX, _CHARSET = 0x00020010, 0x00080005
_PADDING = b" \0"
_NUMERIC = frozenset(("FD", "FL", "SL", "SS", "UL", "US"))


def read_with_gdcm(paths: Sequence[str]) -> Iterator[Row | None]:
    """Yield the row of each file, or null if pydicom must read it.

    Args:
        paths: The files.

    Raises:
        IndexReadError: GDCM is not installed.
    """
    marked = {path for path in paths if _is_marked(path)}
    values = _Values(sorted(marked))
    for path in paths:
        yield values.row(path) if path in marked else None


@cache
def load_gdcm() -> ModuleType:
    """Return GDCM, silenced: its messages on the terminal quote values.

    Raises:
        IndexReadError: It is not installed.
    """
    try:
        import gdcm  # type: ignore[import-not-found, import-untyped, unused-ignore]  # it ships no types
    except ImportError:
        raise IndexReadError(
            "--reader gdcm: GDCM is not installed. Install it with: pip install 'monai-unlearn[gdcm]', "
            "or leave --reader out."
        ) from None
    for switch in (gdcm.Trace.DebugOff, gdcm.Trace.WarningOff, gdcm.Trace.ErrorOff):
        switch()
    module: ModuleType = gdcm
    return module


def _is_marked(path: str) -> bool:
    try:
        return _read(path, HEAD, 0)[128:] == b"DICM"
    except OSError:
        return False


def _read(path: str, length: int, offset: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)


class _Values:
    """The values of the wanted tags of files, as `gdcm.Scanner` returns them."""

    def __init__(self, paths: Sequence[str]) -> None:
        gdcm = load_gdcm()
        numbers = [column.tag for column in wanted_columns()]
        self._tags = {tag: gdcm.Tag(tag >> 16, tag & 0xFFFF) for tag in (*numbers, _TRANSFER_SYNTAX, _CHARSET)}
        self._scanner = gdcm.Scanner()
        for tag in self._tags.values():
            self._scanner.AddTag(tag)
        self._scanner.Scan(paths)

    def row(self, path: str) -> Row | None:
        """Return the row of a file, or null if it is not certain."""
        try:
            return self._row(path) if self._scanner.IsKey(path) else None
        except (OddFileError, OSError):
            return None

    def _row(self, path: str) -> Row:
        charset = self._raw(path, _CHARSET).strip()
        syntax = self._raw(path, _TRANSFER_SYNTAX).strip(b" \0").decode("ascii", "replace")
        if not knows_plain_charset(charset) or syntax not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
            raise OddFileError
        header = read_whole(path)
        row: Row = {"format": FORMAT, **dict.fromkeys((*DOUBTS, *read_columns()))}
        for column in wanted_columns():
            raw = self._raw(path, column.tag)
            _check_same(column, raw, header)
            row[column.keyword] = _value(column, raw, charset)
        if row["SOPInstanceUID"] is None:
            raise OddFileError
        add_derived(row)
        return row

    def _raw(self, path: str, tag: int) -> bytes:
        value = self._scanner.GetValue(path, self._tags[tag])
        # SWIG returns bytes that are not UTF-8 as halves of surrogate pairs.
        return b"" if value is None else value.encode("utf-8", "surrogateescape")


def _check_same(column: Column, raw: bytes, header: Header) -> None:
    """Refuse a text that is not what the file has: a C string ends at the first zero byte."""
    vr, stated = header.elements.get(bytes_of(column.tag), ("", b""))
    if vr not in _NUMERIC and raw.strip(_PADDING) != stated.strip(_PADDING):
        raise OddFileError


def _value(column: Column, raw: bytes, charset: bytes) -> Value:
    if not raw:
        return None
    if len(raw) > LONGEST_VALUE:
        raise OddFileError
    if column.vr not in _NUMERIC:
        return column.value(column.vr, raw, charset)
    if not raw.strip().isdigit():
        raise OddFileError
    return float(raw)
