"""The columns that every index has, and the type of each kind of column on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

# Specs are checked against these names without pyarrow, so it is imported only where types are needed.

# The columns of every index; DICOM keywords, columns of tables and measures come after them. `patient_ids` has every
# identifier of the patient, and `faults` every fault of the row, gravest first; both are joined by backslashes.
BASE_COLUMNS: Mapping[str, Kind] = {
    "image_id": Kind.TEXT,
    "path": Kind.TEXT,
    "format": Kind.TEXT,
    "patient": Kind.TEXT,
    "patient_ids": Kind.TEXT,
    "study": Kind.TEXT,
    "series": Kind.TEXT,
    "fault": Kind.TEXT,
    "faults": Kind.TEXT,
    **dict.fromkeys(DOUBTS, Kind.TEXT),
    "file_size": Kind.NUMBER,
    "file_mtime_ns": Kind.NUMBER,
}
# The column of the digests of pixels, where the user asks for them.
PIXEL_DIGEST = "pixel_digest"
# What separates the SOPInstanceUID in an `image_id` from the digest that tells contradicting copies apart.
CONFLICT = "#"
# A float cannot hold nanoseconds since 1970 exactly.
_WHOLE = ("file_size", "file_mtime_ns")


def same_sql(*values: str) -> str:
    """Return SQL for a text of what copies of an image must share, given SQL for each value; `~` is a missing value.

    Args:
        values: The patient, the study, and what identifies the device.
    """
    return " || ".join(f"coalesce(length({value}) || ':' || {value}, '~')" for value in values)


def arrow_type(kind: Kind) -> pa.DataType:
    """Return the Arrow type of a column of this kind."""
    import pyarrow as pa

    return {
        Kind.TEXT: pa.string(),
        Kind.NUMBER: pa.float64(),
        Kind.AGE: pa.float64(),
        Kind.DATE: pa.date32(),
        Kind.DATETIME: pa.timestamp("us"),
    }[kind]


def part_schema(columns: Mapping[str, Kind]) -> pa.Schema:
    """Return the types of an index's columns on disk.

    Args:
        columns: Each column with the kind of its values.
    """
    import pyarrow as pa

    return pa.schema({name: pa.int64() if name in _WHOLE else arrow_type(kind) for name, kind in columns.items()})
