"""The reader of plain images (JPEG, PNG, TIFF, BMP): identified by their header, and checked to be complete."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.row import FaultyFileError, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT = "image"
FORMATS = ("JPEG", "PNG", "TIFF", "BMP")
# The marker that ends a complete file is searched for in this many last bytes: some cameras append data.
_TAIL = 64 * 1024
_STRIPS = ((273, 279), (324, 325))  # TIFF: offsets and byte counts of strips, of tiles


def read(stream: BinaryIO) -> Row:
    """Read the row of a JPEG, PNG, TIFF or BMP image; its pixels are not decoded.

    Args:
        stream: The file, at its start.

    Raises:
        FaultyFileError: The file is not one of these, or ends too early.
    """
    try:
        image = Image.open(stream, formats=FORMATS)
    except UnidentifiedImageError:
        raise FaultyFileError(Fault.NOT_AN_IMAGE) from None
    begins = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    if not _ENDS[image.format or ""](image, stream, begins, size):
        raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT})
    return {"format": FORMAT}


def _jpeg_ends(_image: ImageFile.ImageFile, stream: BinaryIO, begins: int, size: int) -> bool:
    # After the header, FF D9 can only be the end of the image: in data, 00 follows FF.
    stream.seek(max(begins, size - _TAIL))
    return b"\xff\xd9" in stream.read()


def _png_ends(_image: ImageFile.ImageFile, stream: BinaryIO, begins: int, size: int) -> bool:
    stream.seek(max(begins, size - _TAIL))
    return b"\x00\x00\x00\x00IEND\xae\x42\x60\x82" in stream.read()


def _tiff_ends(image: ImageFile.ImageFile, _stream: BinaryIO, _begins: int, size: int) -> bool:
    tags = getattr(image, "tag_v2", {})
    ends = [
        offset + count
        for offsets, counts in _STRIPS
        for offset, count in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False)
    ]
    return max(ends, default=0) <= size


def _bmp_ends(image: ImageFile.ImageFile, _stream: BinaryIO, _begins: int, size: int) -> bool:
    codec, _, offset, arguments = image.tile[0]
    if codec != "raw" or not isinstance(arguments, tuple):  # run-length encoded: only decoding gives its size
        return True
    return int(offset) + int(arguments[1]) * image.height <= size


_ENDS: Mapping[str, Callable[[ImageFile.ImageFile, BinaryIO, int, int], bool]] = {
    "JPEG": _jpeg_ends,
    "MPO": _jpeg_ends,  # a JPEG followed by further images
    "PNG": _png_ends,
    "TIFF": _tiff_ends,
    "BMP": _bmp_ends,
}
