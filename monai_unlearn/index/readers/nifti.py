"""The reader of NIfTI images, plain or gzipped: the header is read with nibabel, the voxels are only counted.

A gzipped file states its inflated size at its end. Only if that is not what the header declares is the file inflated,
in chunks, to see whether it is cut short.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.row import FaultyFileError, Row

if TYPE_CHECKING:
    import numpy as np

FORMAT = "nifti"
# Enough of a gzipped file to inflate a header from, its stored file name included.
HEAD = 1024
MAX_INFLATED = 8 * 1024**3

_GZIP = b"\x1f\x8b"
_GZIP_TRAILER = struct.Struct("<L")
_CHUNK = 1024 * 1024
# How many bytes may follow the voxels of a gzipped file.
_SLACK = _CHUNK
_SIZES = {348: 1, 540: 2}


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What the header of a NIfTI file declares.

    Attributes:
        header: The header, as nibabel represents it.
        shape: The number of voxels along each axis, the first varying fastest.
        dtype: The type of a voxel.
        offset: Where the voxels begin in the inflated file, in bytes.
    """

    header: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int

    @property
    def size(self) -> int:
        """The least size of the inflated file, in bytes."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def recognises(head: bytes) -> bool:
    """Return whether a file that starts with these bytes is a NIfTI image, gzipped or not.

    Args:
        head: Its first `HEAD` bytes, or all of them.
    """
    return _version(_inflate_head(head) if head.startswith(_GZIP) else head) is not None


def read(stream: BinaryIO) -> Row:
    """Read the row of a NIfTI image; its voxels are not read.

    Args:
        stream: The file, at its start.

    Raises:
        FaultyFileError: The file is cut short, or inflates to more than is accepted.
    """
    check_whole(stream)
    return {"format": FORMAT}


def check_whole(stream: BinaryIO) -> Declared:
    """Read the header, and check that the file has the declared size.

    Raises:
        FaultyFileError: The file is cut short, inflates to more than is accepted, or has a malformed header.
    """
    content = inflated(stream)
    declared = read_header(content)
    if content is not stream:
        _check_inflated_size(stream, declared.size)
    elif stream.seek(0, io.SEEK_END) < declared.size:
        raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT})
    return declared


def inflated(stream: BinaryIO) -> BinaryIO | gzip.GzipFile:
    """Return the inflated content of a file, from its start; the file itself if it is not gzipped."""
    stream.seek(0)
    gzipped = stream.read(len(_GZIP)) == _GZIP
    stream.seek(0)
    return gzip.GzipFile(fileobj=stream, mode="rb") if gzipped else stream


def read_header(content: BinaryIO | gzip.GzipFile) -> Declared:
    """Read the header at the start of the inflated content.

    Raises:
        FaultyFileError: It is cut short, or declares no voxels or more than is accepted.
    """
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    try:
        block = content.read(max(_SIZES))
    except (EOFError, zlib.error):
        raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT}) from None
    class_, length = (Nifti1Header, 348) if _version(block) == 1 else (Nifti2Header, 540)
    if len(block) < length:
        raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT})
    # check=False: nibabel's own check logs to stderr.
    header = class_(block[:length], check=False)
    declared = Declared(
        header=header,
        shape=tuple(map(int, header.get_data_shape())),
        dtype=header.get_data_dtype(),
        offset=int(header["vox_offset"]),
    )
    if not declared.shape or min(declared.shape) < 1 or declared.offset < length or not declared.dtype.itemsize:
        raise FaultyFileError(Fault.UNREADABLE, {"format": FORMAT})
    return declared


def _version(head: bytes) -> int | None:
    """Return the version of a single-file NIfTI: it starts with the size of its header, and contains `n+1` or `n+2`."""
    size = next((size for order in ("<i", ">i") if (size := _first_number(order, head)) in _SIZES), 0)
    magic = {348: head[344:348] == b"n+1\0", 540: head[4:12] == b"n+2\0\r\n\x1a\n"}
    return _SIZES[size] if magic.get(size) else None


def _first_number(order: str, head: bytes) -> int:
    return int(struct.unpack_from(order, head)[0]) if len(head) >= struct.calcsize(order) else 0


def _inflate_head(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, max(_SIZES))
    except zlib.error:
        return b""


def _check_inflated_size(stream: BinaryIO, declared: int) -> None:
    if declared > MAX_INFLATED:
        raise FaultyFileError(Fault.TOO_LARGE_INFLATED, {"format": FORMAT})
    stream.seek(-min(_GZIP_TRAILER.size, stream.seek(0, io.SEEK_END)), io.SEEK_END)
    # A complete file ends with its inflated size modulo 2^32 (RFC 1952 section 2.3.1).
    if stream.read() == _GZIP_TRAILER.pack(declared % 2**32):
        return
    stream.seek(0)
    content, size = gzip.GzipFile(fileobj=stream, mode="rb"), 0
    try:
        while chunk := content.read(_CHUNK):
            size += len(chunk)
            if size > declared + _SLACK:
                raise FaultyFileError(Fault.TOO_LARGE_INFLATED, {"format": FORMAT})
    except (EOFError, zlib.error):
        raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT}) from None
    if size < declared:
        raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT})
