"""Reading chosen keywords of a DICOM file that has been read before: their values, or their raw text."""

from __future__ import annotations

import struct
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydicom.datadict import tag_for_keyword
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset, read_partial

from monai_unlearn.index.readers.deflated import HEAD, inflated
from monai_unlearn.index.readers.header import LONGEST_VALUE
from monai_unlearn.index.readers.lenient import MALFORMED, lenient_values, value_of
from monai_unlearn.index.readers.no_preamble import starts_with_element
from monai_unlearn.index.readers.pixels import PIXEL_TAGS
from monai_unlearn.index.readers.row import FaultyFileError
from monai_unlearn.index.values import UNDECODED, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

_LONGEST_RAW = 256


def read_tags(path: Path, keywords: Sequence[str]) -> dict[str, str]:
    """Return the text of each of these keywords that has a value in a DICOM file.

    Args:
        path: A file that was read without a fault of its structure.
        keywords: Any keywords of elements before the pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    with _silently():
        dataset = _header(path, keywords)
        found = {keyword: text(value_of(dataset, keyword)) for keyword in keywords}
    return {keyword: value for keyword, value in found.items() if value is not None and UNDECODED not in value}


def read_texts(path: Path, keywords: Sequence[str]) -> dict[str, str]:
    """Return the raw text of each of these keywords in a DICOM file, valid or not: at most 256 bytes of it.

    Args:
        path: A file that was read without a fault of its structure.
        keywords: Any keywords of elements before the pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    with _silently():
        dataset = _header(path, keywords)
        raw = {keyword: dataset.get_item(keyword, keep_deferred=True) for keyword in keywords if keyword in dataset}
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


def _header(path: Path, keywords: Sequence[str]) -> Dataset:
    """Read some elements of a file up to its pixel data.

    Raises:
        OSError: The file cannot be read.
    """
    wanted = [tag for tag in map(tag_for_keyword, (*keywords, "SpecificCharacterSet")) if tag is not None]
    with path.open("rb") as stream:
        try:
            content = inflated(stream)
            if content is None:
                stream.seek(0)
                force = starts_with_element(stream.read(HEAD))
                stream.seek(0)
                return read_partial(
                    stream, stop_when=_is_pixels, specific_tags=wanted, defer_size=LONGEST_VALUE, force=force
                )
            return read_dataset(content, False, True, stop_when=_is_pixels, specific_tags=wanted)  # noqa: FBT003 - pydicom's
        except (*MALFORMED, EOFError, FaultyFileError, InvalidDicomError, RecursionError, struct.error):
            raise OSError("malformed") from None


def _is_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return tag in PIXEL_TAGS
