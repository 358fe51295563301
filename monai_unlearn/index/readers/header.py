"""The header of a DICOM file: its elements up to the pixel data, and whether they are complete.

pydicom silently reads a file that is cut short: tags are missing, or a value is too short. So reading stops at the
pixel data, and the lengths that the elements declare are compared with the size of the file.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

from pydicom.datadict import tag_for_keyword
from pydicom.filereader import read_dataset, read_partial

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.deflated import FORMAT, inflated, meta_start
from monai_unlearn.index.readers.lenient import MALFORMED
from monai_unlearn.index.readers.pixels import DESCRIBES_PIXELS, PIXEL_TAGS, PixelElement
from monai_unlearn.index.readers.row import FaultyFileError, read_columns

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# No value of the vocabulary is longer; a longer one is malformed and is not loaded.
LONGEST_VALUE = 16 * 1024
_UNDEFINED = 0xFFFFFFFF
# What ends an element of undefined length, in either byte order (DICOM PS3.5 section 7.5).
_SEQUENCE_DELIMITERS = tuple(struct.pack(f"{order}HHL", 0xFFFE, 0xE0DD, 0) for order in "<>")


@dataclass
class HeaderEnd:
    """How the elements before the pixel data end.

    Attributes:
        stream: The file, or its inflated dataset.
        size: Its size in bytes.
        pixels: Where its pixel data begins, if it has any.
        end: Where the last element before it ends, as declared; null if its length is undefined.
        longest: The greatest length declared by an element that ends beyond the file, in bytes.
        too_long: The tags whose values are too long to be loaded.
        has_preamble: Whether the file begins with a preamble and the prefix DICM.
    """

    stream: BinaryIO
    size: int
    pixels: PixelElement | None = None
    end: int | None = 0
    longest: int = 0
    too_long: set[int] = field(default_factory=set)
    has_preamble: bool = True

    def note(self, tag: int, vr: str | None, length: int) -> bool:
        """Take the start of an element, with the stream at its value; return whether it is the pixel data."""
        start = self.stream.tell()
        if tag in PIXEL_TAGS:
            self.pixels = PixelElement(stream=self.stream, tag=tag, vr=vr, offset=start, length=length)
            return True
        self.end = None if length == _UNDEFINED else start + length
        if self.end is not None and self.end > self.size:
            self.longest = max(self.longest, length)
        if LONGEST_VALUE < length < _UNDEFINED:
            self.too_long.add(tag)
        return False

    def fault(self) -> Fault | None:
        """Return what is wrong with the elements before the pixel data, or that there is none."""
        if self.longest:
            return Fault.ELEMENT_BEYOND_FILE if self.longest > self.size else Fault.TRUNCATED
        if self.pixels is None:
            return Fault.PIXEL_DATA_MISSING if self._is_whole() else Fault.TRUNCATED
        return None

    def _is_whole(self) -> bool:
        """Return whether the file ends exactly after the last element."""
        if self.end is not None:
            return self.end == self.size
        self.stream.seek(-min(8, self.size), io.SEEK_END)
        return self.stream.read() in _SEQUENCE_DELIMITERS


def read_header(stream: BinaryIO) -> tuple[Dataset, HeaderEnd]:
    """Read the tags of the vocabulary up to the pixel data.

    Args:
        stream: A DICOM file, at its start.

    Raises:
        FaultyFileError: The file ends within a sequence, or is malformed before its pixel data.
    """
    source: BinaryIO = stream
    try:
        source = inflated(stream) or stream
        end = HeaderEnd(source, source.seek(0, io.SEEK_END), has_preamble=meta_start(stream) > 0)
        source.seek(0)
        if source is stream:
            return _read_file(stream, end), end
        return _read_inflated(source, end), end
    except (*MALFORMED, EOFError, struct.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # from the disk, not from pydicom
        fault = Fault.UNREADABLE if source.read(1) else Fault.TRUNCATED
        raise FaultyFileError(fault, {"format": FORMAT}) from None


def _read_file(stream: BinaryIO, end: HeaderEnd) -> Dataset:
    return read_partial(
        stream, stop_when=end.note, defer_size=LONGEST_VALUE, force=not end.has_preamble, specific_tags=_wanted_tags()
    )


def _read_inflated(content: BinaryIO, end: HeaderEnd) -> Dataset:
    return read_dataset(
        content,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=end.note,
        defer_size=LONGEST_VALUE,
        specific_tags=_wanted_tags(),
    )


@cache
def _wanted_tags() -> list[int]:
    keywords = {*read_columns(), *DESCRIBES_PIXELS, "SpecificCharacterSet"}
    return [tag for tag in map(tag_for_keyword, sorted(keywords)) if tag is not None]
