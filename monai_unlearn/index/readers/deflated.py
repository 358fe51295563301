"""Deflated DICOM files (DICOM PS3.5 section A.5), inflated up to a limit.

pydicom inflates all of a file at once: 300 KB can become 640 MB.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

from pydicom.filereader import data_element_generator
from pydicom.uid import DeflatedExplicitVRLittleEndian

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.row import FaultyFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "dicom"
# The preamble and the prefix, in bytes.
HEAD = 132
PREFIX = b"DICM"
MAX_INFLATED = 64 * 1024 * 1024

_FILE_META_GROUP = 0x0002
_TRANSFER_SYNTAX_UID = 0x00020010
_LONGEST_META_VALUE = 1024 * 1024
_CHUNK = 1024 * 1024


def meta_start(stream: BinaryIO) -> int:
    """Return where the elements of a DICOM file begin: after the prefix, or at its start if it has no preamble."""
    stream.seek(0)
    return HEAD if stream.read(HEAD)[128:] == PREFIX else 0


def inflated(stream: BinaryIO) -> io.BytesIO | None:
    """Return the dataset of a deflated file, inflated; null if the file is not deflated.

    The content is first inflated without keeping it, and only kept once its size is known to be acceptable.

    Args:
        stream: A DICOM file, at any position.

    Raises:
        FaultyFileError: It inflates to more than `MAX_INFLATED` bytes, is cut short, or is malformed.
    """
    stream.seek(meta_start(stream))
    syntax = b""
    # The File Meta Information is explicit little endian in every file (DICOM PS3.10 section 7.1).
    for element in data_element_generator(
        stream, is_implicit_VR=False, is_little_endian=True, stop_when=_is_behind_meta
    ):
        if element.tag == _TRANSFER_SYNTAX_UID:
            syntax = element.value or b""
    if syntax.strip(b" \0").decode("ascii", "replace") != DeflatedExplicitVRLittleEndian:
        return None
    start = stream.tell()
    size = sum(map(len, _inflate(stream)))
    content = io.BytesIO()
    content.seek(size)
    content.truncate()
    content.seek(0)
    stream.seek(start)
    for chunk in _inflate(stream):
        content.write(chunk)
    content.seek(0)
    return content


def _inflate(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the inflated content in chunks of at most `_CHUNK` bytes."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    while not inflater.eof:
        deflated = inflater.unconsumed_tail or stream.read(_CHUNK)
        try:
            chunk = inflater.decompress(deflated, _CHUNK)
        except zlib.error:
            raise FaultyFileError(Fault.UNREADABLE, {"format": FORMAT}) from None
        if not deflated and not chunk and not inflater.eof:
            raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT})
        size += len(chunk)
        if size > MAX_INFLATED:
            raise FaultyFileError(Fault.TOO_LARGE_INFLATED, {"format": FORMAT})
        yield chunk


def _is_behind_meta(tag: int, _vr: str | None, length: int) -> bool:
    if tag >> 16 != _FILE_META_GROUP:
        return True
    if length > _LONGEST_META_VALUE:  # pydicom would read as much of it as there is
        raise FaultyFileError(Fault.ELEMENT_BEYOND_FILE, {"format": FORMAT})
    return False
