"""The DICOM reader: the tags of the vocabulary, read with pydicom, from a file that is all there.

pydicom reads a file that is cut short without a word: tags are missing, or a value is short. So the reader
stops at the pixel data, and holds what the file declares from there on against what it has.
"""

from __future__ import annotations

import io
import zlib
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.errors import BytesLengthException
from pydicom.filereader import data_element_generator, read_dataset, read_partial
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, UID_dictionary

from monai_unlearn.fields import Kind, vocabulary
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.pixels import PIXEL_TAGS, PixelElement, check_pixels
from monai_unlearn.index.readers.row import IDENTITY, FaultyFileError, Row
from monai_unlearn.index.values import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

FORMAT = "dicom"
HEAD = 132
MAX_INFLATED = 64 * 1024 * 1024

# What says how many bytes of pixels an image has (DICOM PS3.3 section C.7.6.3).
_DESCRIBES_PIXELS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
)
_FILE_META_GROUP = 0x0002
_TRANSFER_SYNTAX_UID = 0x00020010
# No value of the vocabulary is longer; a longer one is malformed and is not loaded.
_LONGEST_VALUE = 1024 * 1024
# What pydicom raises for a value that is not what its representation says.
_MALFORMED = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    LookupError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
)


def recognises(head: bytes) -> bool:
    """Return whether these first 132 bytes are those of a DICOM file (DICOM PS3.10 section 7.1)."""
    return head[128:132] == b"DICM"


def read(stream: BinaryIO) -> Row:
    """Read the row of a DICOM image.

    Args:
        stream: The file, at its start.

    Raises:
        FaultyFileError: The file holds no image, is cut short, nests too deep, inflates too far, or cannot be
            named; what was read is in the error's row.
    """
    with lenient_values():
        dataset, pixels = _read_to_pixels(stream)
        row = _row(dataset)
        try:
            fault = _fault(dataset, pixels)
        except _MALFORMED:
            fault = Fault.UNREADABLE
    if fault is None and row["SOPInstanceUID"] is None:
        fault = Fault.MISSING_SOP_INSTANCE_UID
    if fault is not None:
        raise FaultyFileError(fault, row)
    return row


def _read_to_pixels(stream: BinaryIO) -> tuple[Dataset, PixelElement | None]:
    """Read the wanted tags up to the pixel data, and note where that is."""
    found: list[PixelElement] = []
    content = inflated(stream)
    source = stream if content is None else content

    def at_pixels(tag: int, vr: str | None, length: int) -> bool:
        if tag in PIXEL_TAGS:
            found[:] = [PixelElement(stream=source, tag=tag, vr=vr, offset=source.tell(), length=length)]
        return tag in PIXEL_TAGS

    if content is None:
        stream.seek(0)
        dataset = read_partial(stream, stop_when=at_pixels, defer_size=_LONGEST_VALUE, specific_tags=_wanted_tags())
    else:
        dataset = read_dataset(
            content,
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=at_pixels,
            defer_size=_LONGEST_VALUE,
            specific_tags=_wanted_tags(),
        )
    return dataset, found[0] if found else None


def inflated(stream: BinaryIO) -> io.BytesIO | None:
    """Return the dataset of a deflated file, inflated up to a limit; null where the file is not deflated.

    pydicom would inflate all of it at once: 300 KB can become 640 MB.
    """
    stream.seek(HEAD)
    syntax = b""
    # The File Meta Information is explicit little endian in every file (DICOM PS3.10 section 7.1).
    for element in data_element_generator(
        stream, is_implicit_VR=False, is_little_endian=True, stop_when=_is_behind_meta
    ):
        if element.tag == _TRANSFER_SYNTAX_UID:
            syntax = element.value or b""
    if syntax.strip(b" \0").decode("ascii", "replace") != DeflatedExplicitVRLittleEndian:
        return None
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(stream.read(), MAX_INFLATED)
    if inflater.unconsumed_tail:
        raise FaultyFileError(Fault.TOO_LARGE_INFLATED, {"format": FORMAT})
    if not inflater.eof:
        raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT})
    return io.BytesIO(content)


def _is_behind_meta(tag: int, _vr: str | None, _length: int) -> bool:
    return tag >> 16 != _FILE_META_GROUP


def _fault(dataset: Dataset, pixels: PixelElement | None) -> Fault | None:
    if pixels is not None:
        return check_pixels(dataset, pixels)
    meta = getattr(dataset, "file_meta", {})
    class_uid = UID(str(dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID", "")))
    # An image without pixels was cut before them; a report, a plan or a waveform never had any.
    is_image = "Image Storage" in class_uid.name or class_uid not in UID_dictionary or "Rows" in dataset
    return Fault.TRUNCATED if is_image else Fault.NOT_AN_IMAGE


def _row(dataset: Dataset) -> Row:
    row: Row = {"format": FORMAT}
    for keyword in IDENTITY:
        row[keyword] = typed(Kind.TEXT, _value(dataset, keyword))
    for keyword, kind in vocabulary().dicom.items():
        row[keyword] = typed(kind, _value(dataset, keyword))
    return row


def _value(dataset: Dataset, keyword: str) -> object:
    try:
        return dataset.get(keyword)
    except _MALFORMED:
        return None


@cache
def _wanted_tags() -> list[int]:
    keywords = {*IDENTITY, *vocabulary().dicom, *_DESCRIBES_PIXELS, "SpecificCharacterSet"}
    return [tag for tag in map(tag_for_keyword, sorted(keywords)) if tag is not None]


@contextmanager
def lenient_values() -> Iterator[None]:
    """Let pydicom pass malformed values through, here only, without a word: its messages quote them."""
    settings, logger = pydicom.config.settings, pydicom.config.logger
    before = settings.reading_validation_mode, logger.disabled
    settings.reading_validation_mode, logger.disabled = pydicom.config.IGNORE, True
    try:
        yield
    finally:
        settings.reading_validation_mode, logger.disabled = before
