"""What a reader hands back: the columns of one file, and the fault that ended its reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.values import UIDS, UNDECODED, Value, coerce, is_empty, uid
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Value]

EXTRA_TAGS = "aside"
IDENTITY = ("SOPInstanceUID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")

_INVALID = {
    Kind.DATE: Fault.INVALID_DATE,
    Kind.DATETIME: Fault.INVALID_DATE,
    Kind.AGE: Fault.INVALID_AGE,
    Kind.NUMBER: Fault.INVALID_NUMBER,
}
# Of several faults of its values a row carries the first of these.
_GRAVITY = (
    Fault.MISSING_SOP_INSTANCE_UID,
    Fault.UNDECODABLE_TEXT,
    Fault.INVALID_UID,
    Fault.INVALID_DATE,
    Fault.INVALID_AGE,
    Fault.INVALID_NUMBER,
)


def file_columns() -> Mapping[str, Kind]:
    """Return what is kept of a file: its format and fault, its identity, the vocabulary, and what is asked for besides.

    The last is read after the others, and stays null here.
    """
    return {"format": Kind.TEXT, "fault": Kind.TEXT, **tag_columns(), EXTRA_TAGS: Kind.TEXT}


def tag_columns() -> Mapping[str, Kind]:
    """Return the DICOM keywords that a reader reads, with the kinds of their values."""
    return {**dict.fromkeys(IDENTITY, Kind.TEXT), **vocabulary().dicom}


def tagged(values: Mapping[str, object]) -> tuple[Row, Fault | None]:
    """Return the columns of a DICOM file's values, and the gravest fault that its values have.

    A value that is not what its keyword promises is null, and the row says so by its fault. Every reader of
    DICOM files calls this, so that the rows of one are those of the other.

    Args:
        values: The decoded value of each keyword; of several values a list; what is missing is null. Text holds
            `UNDECODED` where its bytes could not be decoded.
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
    invalid = found is None and kind in _INVALID and not is_empty(value)
    return found, _INVALID[kind] if invalid else None


class FaultyFileError(Exception):
    """A file has a fault; what was read of it before is kept in `row`."""

    def __init__(self, fault: Fault, row: Row | None = None) -> None:
        super().__init__(fault.code)
        self.fault = fault
        self.row = row or {}
