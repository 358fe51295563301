"""What the functional groups of a multi-frame image say (DICOM PS3.3 section C.7.6.16).

Enhanced objects hold many tags not at the top level but once in SharedFunctionalGroupsSequence, or frame by frame in
PerFrameFunctionalGroupsSequence. A tag that is missing at the top level is looked for there: in an item of a group, and
in the items of its macros, such as PixelMeasuresSequence. Frames that differ give several values.

The items are read one by one and forgotten, because there may be thousands of frames.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.filereader import read_sequence_item
from pydicom.sequence import Sequence

from monai_unlearn.index.readers.charset import knows_charset
from monai_unlearn.index.readers.lenient import value_of
from monai_unlearn.index.readers.tag_values import Distinct, value_at, values_in
from monai_unlearn.index.values import UIDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as Several

    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

    from monai_unlearn.index.tag_path import TagPath

SHARED, PER_FRAME = 0x52009229, 0x52009230
GROUPS = (SHARED, PER_FRAME)
UNDEFINED = 0xFFFFFFFF
_CHUNK = 1024 * 1024
# Tags that name the image itself or its patient; the same keywords in a group name what it was derived from.
NEVER_IN_GROUPS = frozenset(("PatientID", "IssuerOfPatientID", "OtherPatientIDs", "PatientBirthDate", *UIDS))


@dataclass(frozen=True)
class Located:
    """Where a sequence of functional groups begins.

    Attributes:
        tag: Which of the two it is.
        start: The position of its value, in bytes.
        length: Its declared length in bytes, or `UNDEFINED`.
    """

    tag: int
    start: int
    length: int


@dataclass
class FunctionalGroups:
    """Collects the values of tag paths from functional groups.

    Attributes:
        paths: The paths to look for; those that the top level has are passed over.
        values: What was found, by path.
    """

    paths: Several[TagPath]
    values: dict[TagPath, object] = field(default_factory=dict)

    def read(self, stream: BinaryIO, located: Located, dataset: Dataset) -> None:
        """Collect the values of one of the sequences, and leave the stream behind it.

        Args:
            stream: The file, or its inflated dataset.
            located: The sequence.
            dataset: What was read before it.

        Raises:
            OSError: The file ends within the sequence, or it is malformed.
        """
        is_bounded = located.length != UNDEFINED
        end = located.start + located.length
        wanted = self._wanted(dataset, located)
        if is_bounded and not _mentions(stream, located, wanted, is_little=dataset.original_encoding[1] is not False):
            stream.seek(end)
            return
        found = {path: Distinct() for path in wanted}
        for item in _items(stream, located, dataset):
            for path, values in found.items():
                values.add(_values(item, path, located.tag))
        self.values.update({path: values.merged() for path, values in found.items() if values.values})
        if is_bounded:
            stream.seek(end)

    def _wanted(self, dataset: Dataset, located: Located) -> list[TagPath]:
        """Return the paths that begin with this sequence, or that nothing before it has."""
        return [path for path in self.paths if path.steps[0].tag == located.tag or self._is_missing(path, dataset)]

    def _is_missing(self, path: TagPath, dataset: Dataset) -> bool:
        if path.steps[0].tag in GROUPS or path.is_meta or str(path.last) in NEVER_IN_GROUPS or path in self.values:
            return False
        return next(values_in(dataset, path.steps), None) is None


def _values(item: Dataset, path: TagPath, group: int) -> Iterator[object]:
    """Yield the values of a path in an item of functional groups, or else in the items of its macros."""
    if path.steps[0].tag == group:
        yield from values_in(item, path.steps[1:])
        return
    yield from values_in(item, path.steps)
    for tag in [tag for tag in item.keys() if _is_sequence(item, tag)]:  # noqa: SIM118 - iterating decodes values
        macro = value_at(item, tag)
        for inner in macro if isinstance(macro, Sequence) else ():
            yield from values_in(inner, path.steps)


def _is_sequence(item: Dataset, tag: BaseTag) -> bool:
    element = item.get_item(tag, keep_deferred=True)
    vr = getattr(element, "VR", None)
    return vr == "SQ" or (vr in (None, "UN") and dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ")


def _items(stream: BinaryIO, located: Located, dataset: Dataset) -> Iterator[Dataset]:
    charset = value_of(dataset, "SpecificCharacterSet")
    # As in the reader of the top level: text of an unknown character set is decoded byte by byte, and then lost.
    encoding = dataset.original_character_set if knows_charset(charset) else convert_encodings("ISO_IR 100")
    implicit, little = dataset.original_encoding
    stream.seek(located.start)
    end = None if located.length == UNDEFINED else located.start + located.length
    while end is None or stream.tell() < end:
        item = read_sequence_item(stream, implicit is True, little is not False, encoding)
        if item is None:
            return
        yield item


def _mentions(stream: BinaryIO, located: Located, paths: Several[TagPath], *, is_little: bool) -> bool:
    """Return whether the bytes of the first tag of a path occur in a sequence: most groups need not be parsed."""
    if not paths:
        return False
    tags = {tag for path in paths for tag in _firsts(path, located.tag)}
    order = "<HH" if is_little else ">HH"
    needles = [struct.pack(order, tag >> 16, tag & 0xFFFF) for tag in tags]
    stream.seek(located.start)
    left, tail = located.length, b""
    while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
        left -= len(chunk)
        content = tail + chunk
        if any(needle in content for needle in needles):
            return True
        tail = content[-3:]
    return False


def _firsts(path: TagPath, group: int) -> Several[int]:
    """Return the numbers of the tags by which an item of a group is searched for a path."""
    steps = path.steps[1:] if path.steps[0].tag == group else path.steps
    return steps[0].in_file() if steps else ()
