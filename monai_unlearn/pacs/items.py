"""Reading values of DICOM JSON (PS3.18 annex F), as servers send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.datadict import tag_for_keyword

if TYPE_CHECKING:
    from collections.abc import Mapping

Item = dict[str, Any]


def tag_of(keyword: str) -> str:
    """Return a keyword as DICOM JSON and DICOMweb name it: eight hexadecimal digits.

    >>> tag_of("StudyInstanceUID")
    '0020000D'

    Raises:
        ValueError: DICOM has no such keyword.
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(keyword)
    return f"{tag:08X}"


STUDY, SERIES, INSTANCE = map(tag_of, ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))
PATIENT_ID, STUDY_DATE, MODALITY = map(tag_of, ("PatientID", "StudyDate", "Modality"))
MODALITIES, RETRIEVE_AET = map(tag_of, ("ModalitiesInStudy", "RetrieveAETitle"))
# What an answer to STOW-RS lists: the files that were stored, and those that were not.
STORED, FAILED = map(tag_of, ("ReferencedSOPSequence", "FailedSOPSequence"))
OF_STUDY, OF_SERIES = map(tag_of, ("NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances"))


def values(item: Mapping[str, Any], tag: str) -> list[Any]:
    """Return the values of a tag in an item; an empty list if it is missing, empty or malformed."""
    element = item.get(tag)
    found = element.get("Value") if isinstance(element, dict) else None
    return found if isinstance(found, list) else []


def text(item: Mapping[str, Any], tag: str) -> str | None:
    """Return the first value of a tag as text, without padding; null if there is none."""
    found = next(iter(values(item, tag)), None)
    return None if found is None or isinstance(found, dict) else str(found).strip(" \0") or None


def count(item: Mapping[str, Any], tag: str) -> int | None:
    """Return the first value of a tag as a count; null if it is missing or no count."""
    found = text(item, tag)
    return int(found) if found is not None and found.isdecimal() else None


def is_items(document: object) -> bool:
    """Return whether a JSON document is a list of DICOM JSON items."""
    return isinstance(document, list) and all(isinstance(item, dict) for item in document)
