"""What a reader hands back: the columns of one file, and the fault that ended its reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.fields import Kind, vocabulary
from monai_unlearn.index.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.index.faults import Fault

Row = dict[str, Value]

IDENTITY = ("SOPInstanceUID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")


def file_columns() -> Mapping[str, Kind]:
    """Return what a reader may say of a file: its format and fault, its identity, and the vocabulary."""
    return {
        "format": Kind.TEXT,
        "fault": Kind.TEXT,
        **dict.fromkeys(IDENTITY, Kind.TEXT),
        **vocabulary().dicom,
    }


class FaultyFileError(Exception):
    """A file has a fault; what was read of it before is kept in `row`."""

    def __init__(self, fault: Fault, row: Row | None = None) -> None:
        super().__init__(fault.code)
        self.fault = fault
        self.row = row or {}
