"""Reading the data set of a DICOM report completely, and preparing it for highdicom."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.filereader import read_file_meta_info

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault
from monai_unlearn.index.readers.deflated import MAX_INFLATED, inflated

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

# Data Set Trailing Padding (PS3.10 section 7.2), which may follow a data set.
_PADDING_TAG, _PADDING = 0xFFFCFFFC, b"last"


def read_report(path: Path) -> Dataset:
    """Read a report, and remove from it what highdicom cannot read.

    Raises:
        FaultyFileError: The file is deflated, and cut short or inflates to more than is accepted.
        FaultyMeasuresError: The file is cut short or too large.
    """
    dataset = _dataset(path)
    _resolve_references(dataset.ContentSequence, dataset)
    _drop_missing(dataset.ContentSequence)
    return dataset


def _dataset(path: Path) -> Dataset:
    """Read a file, and check that it is complete.

    pydicom silently reads a file that is cut short, even within a number. So an element of our own is appended to the
    content: pydicom finds it only if the content is complete.
    """
    with path.open("rb") as stream:
        if path.stat().st_size > MAX_INFLATED:
            raise FaultyMeasuresError(MeasureFault.TOO_LARGE)
        if inflated(stream) is not None:
            return dcmread(path)  # `inflated` has checked the end of the deflated stream
        stream.seek(0)
        content = stream.read()
    tag = struct.pack("<HH", _PADDING_TAG >> 16, _PADDING_TAG & 0xFFFF)
    kind = b"" if read_file_meta_info(path).TransferSyntaxUID.is_implicit_VR else b"OB\0\0"
    dataset = dcmread(io.BytesIO(content + tag + kind + struct.pack("<L", len(_PADDING)) + _PADDING))
    if _PADDING_TAG not in dataset or dataset[_PADDING_TAG].value != _PADDING:
        raise FaultyMeasuresError(Fault.TRUNCATED)
    return dataset


def _resolve_references(items: list[Dataset], root: Dataset) -> None:
    """Replace references to images elsewhere in the content tree by the images; in place, and recursively.

    highdicom does not follow such references (by the position of the item, PS3.3 section C.17.3).
    """
    for position, item in enumerate(items):
        place = item.get("ReferencedContentItemIdentifier")
        found = None if place is None else _at(root, place)
        if found is not None and found.get("ValueType") == "IMAGE":
            items[position] = _without_content(found)
            items[position].RelationshipType = item.RelationshipType
        _resolve_references(item.get("ContentSequence") or [], root)


def _drop_missing(items: list[Dataset]) -> None:
    """Remove numbers without a value; in place, and recursively."""
    items[:] = [item for item in items if item.get("ValueType") != "NUM" or item.get("MeasuredValueSequence")]
    for item in items:
        _drop_missing(item.get("ContentSequence") or [])


def _without_content(item: Dataset) -> Dataset:
    """Return a copy of an item without its children, so that circular references cannot recurse."""
    copied = type(item)(item)
    copied.pop("ContentSequence", None)
    return copied


def _at(root: Dataset, place: Any) -> Dataset:  # noqa: ANN401 - one number or several
    """Return the content item at a position: 1 is the root, each further number selects one of the children."""
    numbers = [place] if isinstance(place, int) else list(place)
    for number in numbers[1:]:
        root = root.ContentSequence[number - 1]
    return root
