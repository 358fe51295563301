"""Whether a DICOM file contains all the pixel data that it declares, judged by lengths alone."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from pydicom.encaps import parse_fragments
from pydicom.filereader import data_element_generator
from pydicom.pixels.utils import get_expected_length

from monai_unlearn.index.faults import Fault

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# PixelData, FloatPixelData, DoubleFloatPixelData
PIXEL_TAGS = frozenset((0x7FE00010, 0x7FE00008, 0x7FE00009))
# What determines how many bytes of pixels an image has (DICOM PS3.3 section C.7.6.3).
DESCRIBES_PIXELS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
)
_UNDEFINED = 0xFFFFFFFF
_ITEM = struct.Struct("<HHL")
_SEQUENCE_DELIMITER = (0xFFFE, 0xE0DD)


@dataclass(frozen=True, kw_only=True)
class PixelElement:
    """Where the pixel data of an open file begins.

    Attributes:
        stream: The file, or its inflated dataset.
        tag: Which pixel data it is.
        vr: Its value representation, if the file states it.
        offset: The position of its value, in bytes.
        length: The declared length of its value, in bytes.
    """

    stream: BinaryIO
    tag: int
    vr: str | None
    offset: int
    length: int


def check_pixels(dataset: Dataset, pixels: PixelElement) -> Fault | None:
    """Return what is wrong with the pixel data: too little for the image, or cut short by the end of the file.

    Args:
        dataset: The elements before the pixel data; they determine how many bytes uncompressed pixels need.
        pixels: Where the pixel data begins.
    """
    size = pixels.stream.seek(0, io.SEEK_END)
    is_encapsulated = pixels.length == _UNDEFINED
    if not is_encapsulated and not _declares_enough(dataset, pixels.length):
        return Fault.PIXEL_DATA_SHORT if pixels.length else Fault.PIXEL_DATA_MISSING
    try:
        end = end_of_fragments(pixels) if is_encapsulated else pixels.offset + pixels.length
        is_whole = end <= size and _tail_is_whole(dataset, pixels, end, size)
    except (OSError, ValueError, struct.error):  # ends within a header
        return Fault.TRUNCATED
    return None if is_whole else Fault.TRUNCATED


def _declares_enough(dataset: Dataset, length: int) -> bool:
    """Return whether the declared length suffices for the uncompressed pixels; a surplus is padding."""
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is not None and syntax.is_transfer_syntax and syntax.is_encapsulated:
        return length > 0
    try:
        return bool(length >= max(get_expected_length(dataset), 1))
    except (AttributeError, TypeError):  # not described, so there is nothing to compare with
        return length > 0


def end_of_fragments(pixels: PixelElement) -> int:
    """Return the position after the delimiter that ends encapsulated pixel data (DICOM PS3.5 section A.4).

    Raises:
        struct.error: The file ends within a fragment, or before the delimiter.
        ValueError: There is no fragment, or something else in place of a fragment or the delimiter.
    """
    stream = pixels.stream
    stream.seek(pixels.offset)
    _, offsets = parse_fragments(stream)
    if not offsets:
        raise ValueError("no fragment")
    stream.seek(offsets[-1])
    _, _, length = _ITEM.unpack(stream.read(_ITEM.size))
    end = int(offsets[-1]) + _ITEM.size + int(length)
    stream.seek(end)
    group, element, _ = _ITEM.unpack(stream.read(_ITEM.size))
    if (group, element) != _SEQUENCE_DELIMITER:
        raise ValueError("no sequence delimiter after the last fragment")
    return end + _ITEM.size


def _tail_is_whole(dataset: Dataset, pixels: PixelElement, start: int, size: int) -> bool:
    """Return whether the elements after the pixel data (padding, signatures) end where they declare."""
    stream = pixels.stream
    stream.seek(start)
    end = start
    implicit, little = dataset.original_encoding
    for element in data_element_generator(stream, implicit, little, defer_size=0):
        if element.tag < pixels.tag:
            return True  # not an element in order, but other bytes after the data set
        end = stream.tell()
        if end > size:
            return False
    stream.seek(end)
    return not stream.read(_ITEM.size).strip(b"\0")
