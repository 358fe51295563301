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

from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_dataset, read_partial

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.deflated import FORMAT, HEAD, inflated, meta_start
from monai_unlearn.index.readers.functional_groups import GROUPS, UNDEFINED, FunctionalGroups, Located
from monai_unlearn.index.readers.lenient import MALFORMED
from monai_unlearn.index.readers.no_preamble import starts_with_element
from monai_unlearn.index.readers.pixels import DESCRIBES_PIXELS, PIXEL_TAGS, PixelElement
from monai_unlearn.index.readers.row import FaultyFileError, tag_paths
from monai_unlearn.index.tag_path import TagPath

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydicom.dataset import Dataset

# No value of the vocabulary is longer; a longer one is malformed and is not loaded.
LONGEST_VALUE = 16 * 1024
_META = 0x0002
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
        most: The length in bytes from which a value is too long.
        group: Functional groups at which reading has paused.
        groups: What functional groups say of the wanted tags.
    """

    stream: BinaryIO
    size: int
    pixels: PixelElement | None = None
    end: int | None = 0
    longest: int = 0
    too_long: set[int] = field(default_factory=set)
    has_preamble: bool = True
    most: int = LONGEST_VALUE
    group: Located | None = None
    groups: FunctionalGroups = field(default_factory=lambda: FunctionalGroups(()))

    def note(self, tag: int, vr: str | None, length: int) -> bool:
        """Take the start of an element, with the stream at its value; return whether reading stops.

        It stops at the pixel data, and pauses at functional groups.
        """
        start = self.stream.tell()
        if tag in PIXEL_TAGS:
            self.pixels = PixelElement(stream=self.stream, tag=tag, vr=vr, offset=start, length=length)
            return True
        self.end = None if length == UNDEFINED else start + length
        if self.end is not None and self.end > self.size:
            self.longest = max(self.longest, length)
        if tag in GROUPS:
            self.group = Located(tag, start, length)
            return True
        if self.most < length < UNDEFINED:
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


def read_header(
    stream: BinaryIO, paths: Sequence[TagPath] | None = None, *, longest: int = LONGEST_VALUE
) -> tuple[Dataset, HeaderEnd]:
    """Read chosen tags up to the pixel data.

    Args:
        stream: A DICOM file, at its start.
        paths: The tags; null for those of the vocabulary, and those that describe the pixel data.
        longest: The length in bytes above which a value is not loaded.

    Raises:
        FaultyFileError: The file ends within a sequence, or is malformed before its pixel data.
    """
    source: BinaryIO = stream
    try:
        stream.seek(0)
        force = starts_with_element(stream.read(HEAD))  # a file without a preamble is DICOM, too
        content = inflated(stream)
        source = content or stream
        end = HeaderEnd(source, source.seek(0, io.SEEK_END), most=longest, has_preamble=meta_start(stream) > 0)
        end.groups = FunctionalGroups(_vocabulary_paths() if paths is None else paths)
        tags = _wanted_tags() if paths is None else tags_of(paths)
        source.seek(0)
        if content is None:
            dataset: Dataset = read_partial(
                stream, stop_when=end.note, defer_size=longest, force=force, specific_tags=tags
            )
        else:
            dataset = _read(content, end, tags, (False, True))
            stream.seek(meta_start(stream))
            dataset.file_meta = _read_file_meta(stream)
        _read_on(dataset, end, tags)
    except (*MALFORMED, EOFError, struct.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # from the disk, not from pydicom
        fault = Fault.UNREADABLE if source.read(1) else Fault.TRUNCATED
        raise FaultyFileError(fault, {"format": FORMAT}) from None
    return dataset, end


def tags_of(paths: Iterable[TagPath]) -> list[int]:
    """Return the tags at the top level to which paths lead, in ascending order."""
    return sorted({tag for path in paths for tag in path.roots} - set(GROUPS))


def _read_on(dataset: Dataset, end: HeaderEnd, tags: list[int]) -> None:
    """Read the functional groups at which reading has paused, and what follows them."""
    while end.group is not None:
        located, end.group = end.group, None
        if located.length != UNDEFINED and located.start + located.length > end.size:
            return  # the fault has been noted
        end.groups.read(end.stream, located, dataset)
        implicit, little = dataset.original_encoding
        dataset.update(_read(end.stream, end, tags, (implicit is True, little is not False)))


def _read(stream: BinaryIO, end: HeaderEnd, tags: list[int], encoding: tuple[bool, bool]) -> Dataset:
    return read_dataset(stream, *encoding, stop_when=end.note, defer_size=end.most, specific_tags=tags)


def _read_file_meta(stream: BinaryIO) -> FileMetaDataset:
    """Read the File Meta Information, with the stream at its start (DICOM PS3.10 section 7.1)."""
    return FileMetaDataset(read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != _META))  # noqa: FBT003 - pydicom's


@cache
def _vocabulary_paths() -> tuple[TagPath, ...]:
    return tuple(tag_paths().values())


@cache
def _wanted_tags() -> list[int]:
    described = (TagPath.parse(keyword) for keyword in (*DESCRIBES_PIXELS, "SpecificCharacterSet"))
    return tags_of((*_vocabulary_paths(), *described))
