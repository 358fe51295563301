"""The columns of every index, whatever it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

# What every index has besides its DICOM keywords and table columns.
BASE_COLUMNS: Mapping[str, Kind] = {
    "image_id": Kind.TEXT,
    "path": Kind.TEXT,
    "format": Kind.TEXT,
    "patient": Kind.TEXT,
    "study": Kind.TEXT,
    "series": Kind.TEXT,
    "fault": Kind.TEXT,
    "file_size": Kind.NUMBER,
    "file_mtime_ns": Kind.NUMBER,
}
