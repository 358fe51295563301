"""Reading chosen keywords of a DICOM file that has been read before: their values, or their raw text."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence as Several
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, BinaryIO

from pydicom.errors import InvalidDicomError

from monai_unlearn.index.readers.header import LONGEST_VALUE, HeaderEnd, read_header
from monai_unlearn.index.readers.lenient import MALFORMED, lenient_values
from monai_unlearn.index.readers.row import FaultyFileError
from monai_unlearn.index.readers.tag_values import spelled, value_of_path
from monai_unlearn.index.tag_path import TagPath
from monai_unlearn.index.values import UNDECODED, is_empty, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

_LONGEST_RAW = 256
# Sequences that paths lead through are loaded up to this size, in bytes.
_LONGEST_LOADED = 1024 * 1024


def read_tags(path: Path, tags: Sequence[str]) -> dict[str, str]:
    """Return the text of each of these tags that has a value in a DICOM file; several values have backslashes between.

    It is `UNDECODED` where the value cannot be decoded, is no text, or is too long.

    Args:
        path: A file that was read without a fault of its structure.
        tags: Paths of elements before the pixel data, as `TagPath` spells them.

    Raises:
        OSError: The file cannot be read.
    """
    with _silently(), path.open("rb") as stream:
        paths = [TagPath.parse(tag) for tag in tags]
        dataset, end = _header(stream, paths)
        found = {str(tag): _text(dataset, tag, end) for tag in paths}
    return {name: UNDECODED if UNDECODED in value else value for name, value in found.items() if value is not None}


def _text(dataset: Dataset, tag: TagPath, end: HeaderEnd) -> str | None:
    if tag.is_plain and end.too_long.intersection(tag.roots):
        return UNDECODED
    value = value_of_path(dataset, tag)
    value = end.groups.values.get(tag, value) if is_empty(value) else value
    several = value if isinstance(value, Several) and not isinstance(value, str | bytes) else [value]
    numbers = [spelled(part) if isinstance(part, float | Decimal | bytes) else part for part in several]
    found = None if value is None else text(numbers)
    return UNDECODED if found is not None and len(found) > LONGEST_VALUE else found


def read_texts(path: Path, keywords: Sequence[str]) -> dict[str, str]:
    """Return the raw text of each of these keywords in a DICOM file, valid or not: at most 256 bytes of it.

    Args:
        path: A file that was read without a fault of its structure.
        keywords: Any keywords of elements before the pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    with _silently(), path.open("rb") as stream:
        tags = [tag for tag in map(TagPath.parse, keywords) if tag.is_plain]
        dataset, _ = _header(stream, tags)
        raw = {str(tag): dataset.get_item(tag.last.tag, keep_deferred=True) for tag in tags if tag.last.tag in dataset}
    values = {keyword: element.value for keyword, element in raw.items()}
    contents = {keyword: value for keyword, value in values.items() if isinstance(value, bytes)}
    texts = {keyword: value[:_LONGEST_RAW].decode("ascii", "backslashreplace") for keyword, value in contents.items()}
    return {keyword: found for keyword, value in texts.items() if (found := text(value)) is not None}


@contextmanager
def _silently() -> Iterator[None]:
    """Accept malformed values; pydicom also warns about them when they are decoded, and some warnings quote them."""
    with warnings.catch_warnings(), lenient_values():
        warnings.simplefilter("ignore")
        yield


def _header(stream: BinaryIO, tags: Sequence[TagPath]) -> tuple[Dataset, HeaderEnd]:
    """Read some elements of a file up to its pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        return read_header(stream, (*tags, TagPath.parse("SpecificCharacterSet")), longest=_LONGEST_LOADED)
    except (*MALFORMED, EOFError, FaultyFileError, InvalidDicomError, RecursionError, struct.error):
        raise OSError("malformed") from None
