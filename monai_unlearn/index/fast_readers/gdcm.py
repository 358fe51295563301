"""GDCM's scanner as a reader of many DICOM files at once; what it cannot say for certain is left to pydicom.

GDCM says a value as a C string, without the value representation that the file states, and says nothing of how a
file ends. So a file counts as read only where it ends with uncompressed pixel data of just the size that its rows,
columns and frames take. The C++ code may end the process on a malformed file: it belongs in a worker process.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers.pixels import DESCRIBES_PIXELS, expected_length
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
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from monai_unlearn.index.readers import Row
    from monai_unlearn.index.values import Value

_TRANSFER_SYNTAX, _CHARSET = 0x00020010, 0x00080005
_NUMERIC = frozenset(("FD", "FL", "SL", "SS", "UL", "US"))
_PIXEL_DATA = b"\xe0\x7f\x10\x00"


def scan_with_gdcm(paths: Sequence[str]) -> Iterator[Row | None]:
    """Yield the row of each file, or nothing where pydicom must read it.

    Args:
        paths: The files.

    Raises:
        IndexReadError: GDCM is not installed.
    """
    marked = {path for path in paths if _is_marked(path)}
    scan = _Scan(sorted(marked))
    for path in paths:
        yield scan.row(path) if path in marked else None


@cache
def load_gdcm() -> ModuleType:
    """Return GDCM, silent: what it writes to the terminal quotes values.

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


class _Scan:
    """What GDCM's scanner says of files."""

    def __init__(self, paths: Sequence[str]) -> None:
        gdcm = load_gdcm()
        numbers = [column.tag for column in (*wanted_columns(), *_describing())]
        self._tags = {tag: gdcm.Tag(tag >> 16, tag & 0xFFFF) for tag in (*numbers, _TRANSFER_SYNTAX, _CHARSET)}
        self._scanner = gdcm.Scanner()
        for tag in self._tags.values():
            self._scanner.AddTag(tag)
        self._scanner.Scan(paths)

    def row(self, path: str) -> Row | None:
        """Return the row of a file, or nothing where that is not certain."""
        try:
            return self._row(path) if self._scanner.IsKey(path) else None
        except (OddFileError, OSError):
            return None

    def _row(self, path: str) -> Row:
        charset = self._said(path, _CHARSET).strip()
        syntax = self._said(path, _TRANSFER_SYNTAX).strip(b" \0").decode("ascii", "replace")
        if not knows_plain_charset(charset) or syntax not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
            raise OddFileError
        row: Row = {"format": FORMAT}
        for column in wanted_columns():
            row[column.keyword] = _value(column, self._said(path, column.tag), charset)
        if row["SOPInstanceUID"] is None:
            raise OddFileError
        _check_end(path, {column.keyword: self._said(path, column.tag) for column in _describing()})
        return row

    def _said(self, path: str, tag: int) -> bytes:
        said = self._scanner.GetValue(path, self._tags[tag])
        # SWIG hands over bytes that are no UTF-8 as halves of surrogate pairs.
        return b"" if said is None else said.encode("utf-8", "surrogateescape")


def _value(column: Column, said: bytes, charset: bytes) -> Value:
    if not said:
        return None
    if len(said) > LONGEST_VALUE:
        raise OddFileError
    if column.vr not in _NUMERIC:
        return column.value(column.vr, said, charset)
    if not said.strip().isdigit():
        raise OddFileError
    return float(said)


def _check_end(path: str, said: dict[str, bytes]) -> None:
    numbers = {keyword: int(value) for keyword, value in said.items() if value.strip().isdigit()}
    photometric = said["PhotometricInterpretation"].decode("ascii", "replace").strip()
    length = expected_length(numbers, photometric)
    length += length % 2
    size = os.stat(path).st_size  # noqa: PTH116 - a Path for each of a million files takes as long as looking at it
    head = _read(path, 12, max(size - length - 12, 0))
    explicit = head[:4] == _PIXEL_DATA and head[4:6] in (b"OB", b"OW") and head[8:] == length.to_bytes(4, "little")
    implicit = head[4:8] == _PIXEL_DATA and head[8:] == length.to_bytes(4, "little")
    if not (explicit or implicit):
        raise OddFileError


@cache
def _describing() -> tuple[Column, ...]:
    return tuple(map(column_of, DESCRIBES_PIXELS))
