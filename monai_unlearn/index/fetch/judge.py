"""Whether a file is the image that was asked for, and whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from monai_unlearn.index.fetch.manifest import Fetched
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.identity import settled
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.index.usable import is_usable

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.index.fetch.wanted import Wanted

# Beside the codes of `Fault`: the file has other identifiers than were asked for; its patient is not that of the index,
# because the archive has corrected one since the pull; its pixels are not those of before.
OTHER_IMAGE, OTHER_PATIENT, OTHER_PIXELS = "other_image", "other_patient", "other_pixels"


def judged(path: Path, one: Wanted) -> tuple[Fetched, str | None]:
    """Return what a file is, and its fault if it is not the image that was asked for, or not whole."""
    row, stat = settled(read_file(path)), path.stat()
    entry = Fetched(
        image_id=one.image_id,
        name=one.name,
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        file_digest=f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
        pixel_digest=pixel_digest(path),
        patient=_text(row.get("PatientID")),
        issuer=_text(row.get("issuer")),
        institution=_text(row.get("InstitutionName")),
    )
    code = row.get("fault")
    if isinstance(code, str) and not is_usable(code):
        return entry, code
    found = tuple(row.get(name) for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"))
    if found != (one.uid, one.study, one.series):
        return entry, OTHER_IMAGE
    return entry, None if entry.is_of(one.people) else OTHER_PATIENT


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
