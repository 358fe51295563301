"""The list of the files that were fetched, and what each was then."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.patient_key import ISSUED_BY, PatientKey
from monai_unlearn.staging import staged_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "fetched.parquet"
_SCHEMA = pa.schema(
    {
        "image_id": pa.string(),
        "name": pa.string(),
        "size": pa.int64(),
        "mtime_ns": pa.int64(),
        "file_digest": pa.string(),
        "pixel_digest": pa.string(),
        "patient": pa.string(),
        "issuer": pa.string(),
        "institution": pa.string(),
    }
)
_KEYS = tuple(PatientKey(issuer=issuer, institution=at) for issuer in (False, True) for at in (False, True))


@dataclass(frozen=True)
class Fetched:
    """A file that is there, and what it was when it was fetched."""

    image_id: str
    name: str
    size: int
    mtime_ns: int
    file_digest: str
    pixel_digest: str | None
    patient: str | None
    issuer: str | None
    institution: str | None

    def is_of(self, people: frozenset[str]) -> bool:
        """Return whether the patient of the file is one with these identifiers; anybody is where there are none."""
        if not people:
            return True
        name = self.patient or ""
        issued = {key.of(name, self.issuer, self.institution) for key in _KEYS} - {name}
        if issued and any(one.startswith(name + ISSUED_BY) for one in people):
            return not issued.isdisjoint(people)
        return name in people


def read_manifest(folder: Path) -> dict[str, Fetched]:
    """Return the files of a folder of images by `image_id`.

    Raises:
        IndexReadError: The manifest is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        rows = pq.read_table(path, schema=_SCHEMA).to_pylist()
    except (OSError, pa.ArrowException):
        raise IndexReadError(
            f"{path}: this list of fetched files is damaged. Delete it: files that are whole are not fetched again."
        ) from None
    return {row["image_id"]: Fetched(**row) for row in rows}


def write_manifest(folder: Path, held: Mapping[str, Fetched]) -> None:
    """Write the manifest of a folder of images, whole or not at all."""
    rows = [asdict(one) for one in held.values()]
    with staged_file(folder / MANIFEST) as aside:
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), aside, compression="zstd")
