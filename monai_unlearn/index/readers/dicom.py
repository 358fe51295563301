"""The DICOM reader: the tags of the vocabulary, read with pydicom, from a file that is all there.

pydicom reads a file that is cut short without a word: tags are missing, or a value is short. So the reader
stops at the pixel data, and holds what the file declares from there on against what it has.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.errors import BytesLengthException
from pydicom.filereader import data_element_generator, read_dataset, read_partial
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, UID_dictionary

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import dicomdir
from monai_unlearn.index.readers.charset import knows_charset
from monai_unlearn.index.readers.pixels import PIXEL_TAGS, PixelElement, check_pixels
from monai_unlearn.index.readers.row import FaultyFileError, Row, tag_columns, tagged
from monai_unlearn.index.values import UIDS, UNDECODED, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

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
_UNDEFINED = 0xFFFFFFFF
# What ends an element of undefined length, in either order of bytes (DICOM PS3.5 section 7.5).
_SEQUENCE_DELIMITERS = tuple(struct.pack(f"{order}HHL", 0xFFFE, 0xE0DD, 0) for order in "<>")
# No value of the vocabulary is longer; a longer one is malformed and is not loaded. Nor is one of the meta group.
_LONGEST_VALUE = 16 * 1024
_LONGEST_META_VALUE = 1024 * 1024
_LONGEST_RAW = 256
_PIECE = 1024 * 1024
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
        FaultyFileError: The file holds no image, is cut short, nests too deep, inflates too far, cannot be named,
            or holds a value that is none; what was read is in the error's row.
    """
    with lenient_values():
        dataset, ending = _read_to_pixels(stream)
        row, values_fault = tagged(_values(dataset, ending))
        row = {"format": FORMAT, **row}
        try:
            fault = _fault(dataset, ending)
        except _MALFORMED:
            fault = Fault.UNREADABLE
    fault = fault or values_fault
    if fault is not None:
        raise FaultyFileError(fault, row)
    return row


def read_tags(path: Path, keywords: Sequence[str]) -> dict[str, str]:
    """Return the text of each of these keywords that a DICOM file has a value of.

    Args:
        path: A file that has been read without a fault of its structure.
        keywords: Any keywords of elements before the pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    with lenient_values():
        dataset = _header(path, keywords)
        found = {keyword: text(_value(dataset, keyword)) for keyword in keywords}
    return {keyword: said for keyword, said in found.items() if said is not None and UNDECODED not in said}


def read_texts(path: Path, keywords: Sequence[str]) -> dict[str, str]:
    """Return what stands in a DICOM file for each of these keywords, whatever it is: at most 256 bytes of it.

    Args:
        path: A file that has been read without a fault of its structure.
        keywords: Any keywords of elements before the pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    with lenient_values():
        dataset = _header(path, keywords)
        raw = {keyword: dataset.get_item(keyword, keep_deferred=True) for keyword in keywords if keyword in dataset}
    values = {keyword: element.value for keyword, element in raw.items()}
    said = {keyword: value for keyword, value in values.items() if isinstance(value, bytes)}
    texts = {keyword: value[:_LONGEST_RAW].decode("ascii", "backslashreplace") for keyword, value in said.items()}
    return {keyword: found for keyword, value in texts.items() if (found := text(value)) is not None}


def _header(path: Path, keywords: Sequence[str]) -> Dataset:
    """Read some elements of a file up to its pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    wanted = [tag for tag in map(tag_for_keyword, (*keywords, "SpecificCharacterSet")) if tag is not None]
    with warnings.catch_warnings(), path.open("rb") as stream:
        warnings.simplefilter("ignore")
        try:
            content = inflated(stream)
            if content is None:
                stream.seek(0)
                return read_partial(stream, stop_when=_is_pixels, specific_tags=wanted, defer_size=_LONGEST_VALUE)
            return read_dataset(content, False, True, stop_when=_is_pixels, specific_tags=wanted)  # noqa: FBT003 - pydicom's
        except (*_MALFORMED, EOFError, FaultyFileError, RecursionError, struct.error):
            raise OSError("malformed") from None


def _is_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return tag in PIXEL_TAGS


@dataclass
class _Ending:
    """How the elements before the pixel data end.

    Attributes:
        stream: The file, or its inflated dataset.
        size: How many bytes it has.
        pixels: Where its pixel data begins, if it has any.
        end: Where the last element before it ends, or as it declares; null where it does not say.
        longest: The greatest length that an element declares which ends beyond the file, in bytes.
        too_long: The tags whose values are too long to be loaded.
    """

    stream: BinaryIO
    size: int
    pixels: PixelElement | None = None
    end: int | None = 0
    longest: int = 0
    too_long: set[int] = field(default_factory=set)

    def note(self, tag: int, vr: str | None, length: int) -> bool:
        """Take the head of an element, behind which the stream is; return whether it is the pixel data."""
        start = self.stream.tell()
        if tag in PIXEL_TAGS:
            self.pixels = PixelElement(stream=self.stream, tag=tag, vr=vr, offset=start, length=length)
            return True
        self.end = None if length == _UNDEFINED else start + length
        if self.end is not None and self.end > self.size:
            self.longest = max(self.longest, length)
        if length > _LONGEST_VALUE:
            self.too_long.add(tag)
        return False

    def fault(self) -> Fault | None:
        """Return what is wrong with the elements before the pixel data, or with its absence."""
        if self.longest:
            return Fault.ELEMENT_BEYOND_FILE if self.longest > self.size else Fault.TRUNCATED
        if self.pixels is None:
            return Fault.PIXEL_DATA_MISSING if self._is_whole() else Fault.TRUNCATED
        return None

    def _is_whole(self) -> bool:
        """Return whether the last element ends the file: a few bytes behind it are the beginning of another."""
        if self.end is not None:
            return self.end == self.size
        self.stream.seek(-min(8, self.size), io.SEEK_END)
        return self.stream.read() in _SEQUENCE_DELIMITERS


def _read_to_pixels(stream: BinaryIO) -> tuple[Dataset, _Ending]:
    """Read the wanted tags up to the pixel data, and note where that is.

    Raises:
        FaultyFileError: The file ends within a sequence, or is malformed before its pixel data.
    """
    source: BinaryIO = stream
    try:
        source = inflated(stream) or stream
        ending = _Ending(source, source.seek(0, io.SEEK_END))
        source.seek(0)
        if source is stream:
            return _read_file(stream, ending), ending
        return _read_inflated(source, ending), ending
    except (*_MALFORMED, EOFError, struct.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's word, not pydicom's
        fault = Fault.UNREADABLE if source.read(1) else Fault.TRUNCATED
        raise FaultyFileError(fault, {"format": FORMAT}) from None


def _read_file(stream: BinaryIO, ending: _Ending) -> Dataset:
    return read_partial(stream, stop_when=ending.note, defer_size=_LONGEST_VALUE, specific_tags=_wanted_tags())


def _read_inflated(content: BinaryIO, ending: _Ending) -> Dataset:
    return read_dataset(
        content,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=ending.note,
        defer_size=_LONGEST_VALUE,
        specific_tags=_wanted_tags(),
    )


def inflated(stream: BinaryIO) -> io.BytesIO | None:
    """Return the dataset of a deflated file, inflated up to a limit; null where the file is not deflated.

    pydicom would inflate all of it at once: 300 KB can become 640 MB. Here nothing is kept before all of it is
    known to fit.

    Raises:
        FaultyFileError: It inflates to more than is accepted, is cut short, or is malformed.
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
    start = stream.tell()
    size = sum(map(len, _inflate(stream)))
    content = io.BytesIO()
    content.seek(size)
    content.truncate()
    content.seek(0)
    stream.seek(start)
    for piece in _inflate(stream):
        content.write(piece)
    content.seek(0)
    return content


def _inflate(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the inflated content piece by piece, each of at most `_PIECE` bytes."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    while not inflater.eof:
        deflated = inflater.unconsumed_tail or stream.read(_PIECE)
        try:
            piece = inflater.decompress(deflated, _PIECE)
        except zlib.error:
            raise FaultyFileError(Fault.UNREADABLE, {"format": FORMAT}) from None
        if not deflated and not piece and not inflater.eof:
            raise FaultyFileError(Fault.TRUNCATED, {"format": FORMAT})
        size += len(piece)
        if size > MAX_INFLATED:
            raise FaultyFileError(Fault.TOO_LARGE_INFLATED, {"format": FORMAT})
        yield piece


def _is_behind_meta(tag: int, _vr: str | None, length: int) -> bool:
    if tag >> 16 != _FILE_META_GROUP:
        return True
    if length > _LONGEST_META_VALUE:  # pydicom would read as much of it as there is
        raise FaultyFileError(Fault.ELEMENT_BEYOND_FILE, {"format": FORMAT})
    return False


def _fault(dataset: Dataset, ending: _Ending) -> Fault | None:
    if ending.pixels is not None:
        return ending.fault() or check_pixels(dataset, ending.pixels)
    meta = getattr(dataset, "file_meta", {})
    class_uid = UID(str(dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID", "")))
    if class_uid == dicomdir.MEDIA_STORAGE_DIRECTORY:
        return Fault.DICOMDIR_ESCAPES if dicomdir.escapes(ending.stream) else Fault.NOT_AN_IMAGE
    # An image without pixels was cut before them; a report, a plan or a waveform never had any.
    is_image = "Image Storage" in class_uid.name or class_uid not in UID_dictionary or "Rows" in dataset
    return ending.fault() if is_image else Fault.NOT_AN_IMAGE


def _values(dataset: Dataset, ending: _Ending) -> dict[str, object]:
    """Return the decoded value of each wanted keyword; what cannot be decoded, or is too long, is marked."""
    is_known = knows_charset(_value(dataset, "SpecificCharacterSet"))
    if not is_known:
        # Whatever decodes every byte: where an encoding fails, pydicom tries the bytes as numbers.
        dataset.set_original_encoding(*dataset.original_encoding, character_encoding="ISO_IR 100")
    values: dict[str, object] = {
        # pydicom loads what it was told to defer as soon as it is asked for.
        keyword: UNDECODED if tag_for_keyword(keyword) in ending.too_long else _value(dataset, keyword)
        for keyword in tag_columns()
    }
    if not is_known:
        lost = [name for name, value in values.items() if name not in UIDS and not (text(value) or "").isascii()]
        values.update(dict.fromkeys(lost, UNDECODED))
    return values


def _value(dataset: Dataset, keyword: str) -> object:
    try:
        return dataset.get(keyword)
    except _MALFORMED:
        return UNDECODED


@cache
def _wanted_tags() -> list[int]:
    keywords = {*tag_columns(), *_DESCRIBES_PIXELS, "SpecificCharacterSet"}
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
