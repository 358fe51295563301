"""What a reader returns: the columns of one file, and the fault of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.values import INVALID, UIDS, UNDECODED, Value, coerce, is_empty, uid
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Value]

# The column of what the user asks for beyond the vocabulary, as JSON.
EXTRA_TAGS = "extra_tags"
IDENTITY = ("SOPInstanceUID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")

# A row with several faults of its values gets the first of these.
_GRAVITY = (
    Fault.MISSING_SOP_INSTANCE_UID,
    Fault.UNDECODABLE_TEXT,
    Fault.INVALID_UID,
    Fault.INVALID_DATE,
    Fault.INVALID_AGE,
    Fault.INVALID_NUMBER,
)


def file_columns() -> Mapping[str, Kind]:
    """Return the columns of a file's row: its format and fault, its identity, the vocabulary, and the extra tags.

    Readers leave the extra tags null; `scan/extra_tags.py` reads them afterwards.
    """
    return {"format": Kind.TEXT, "fault": Kind.TEXT, **tag_columns(), EXTRA_TAGS: Kind.TEXT}


def tag_columns() -> Mapping[str, Kind]:
    """Return the DICOM keywords that every reader reads, with the kinds of their values."""
    return {**dict.fromkeys(IDENTITY, Kind.TEXT), **vocabulary().dicom}


def tagged(values: Mapping[str, object]) -> tuple[Row, Fault | None]:
    """Return the columns for the values of a DICOM file, and the most serious fault of these values.

    An invalid value becomes null, and the fault reports it. Every reader of DICOM files calls this, so that all
    readers return the same rows.

    Args:
        values: The decoded value of each keyword: a list if there are several, null if it is missing. Text contains
            `UNDECODED` if its bytes could not be decoded.
    """
    row: Row = {}
    faults: set[Fault] = set()
    for keyword, kind in tag_columns().items():
        row[keyword], fault = _judged(keyword, kind, values.get(keyword))
        if fault is not None:
            faults.add(fault)
    if row["SOPInstanceUID"] is None:
        faults.add(Fault.MISSING_SOP_INSTANCE_UID)
    return row, next((fault for fault in _GRAVITY if fault in faults), None)


def _judged(keyword: str, kind: Kind, value: object) -> tuple[Value, Fault | None]:
    if keyword in UIDS:
        found: Value = uid(value)
        return found, None if found is not None or is_empty(value) else Fault.INVALID_UID
    found = coerce(kind, value)
    if isinstance(found, str) and UNDECODED in found:
        return None, Fault.UNDECODABLE_TEXT
    invalid = found is None and kind in INVALID and not is_empty(value)
    return found, INVALID[kind] if invalid else None


class FaultyFileError(Exception):
    """A file has a fault; `row` contains what was read of it."""

    def __init__(self, fault: Fault, row: Row | None = None) -> None:
        super().__init__(fault.code)
        self.fault = fault
        self.row = row or {}
