"""Whether a DICOMDIR refers to files outside its own folder. References are never followed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from pydicom.filereader import read_partial
from pydicom.tag import Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
_RECORDS = Tag("DirectoryRecordSequence")
# Path separators of all systems, and what follows the letter of a drive.
_SEPARATORS = re.compile(r"[/\\:]")


def escapes(stream: BinaryIO) -> bool:
    """Return whether a record's Referenced File ID leads out of the folder (DICOM PS3.10 section 8.5).

    Args:
        stream: A DICOMDIR, at any position.
    """
    stream.seek(0)
    dataset = read_partial(stream, specific_tags=[_RECORDS])
    return any(_leads_out(components) for components in _references(dataset))


def _references(dataset: Dataset) -> Iterator[list[str]]:
    for record in dataset.get("DirectoryRecordSequence") or ():
        value = record.get("ReferencedFileID")
        if value:
            yield [value] if isinstance(value, str) else [str(component) for component in value]


def _leads_out(components: list[str]) -> bool:
    """Return whether a component is not a plain name: `..`, empty (an absolute path), or with a separator."""
    return any(
        component.strip() in {"", ".", ".."} or _SEPARATORS.search(component) is not None for component in components
    )
