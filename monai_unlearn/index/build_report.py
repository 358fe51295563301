"""What a build did, as a record and as a JSON document."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from monai_unlearn.vocabulary.privacy import handle_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.index.faults import Fault
    from monai_unlearn.index.measures.measure_match import MeasureMatch
    from monai_unlearn.index.scan.plan import FileCounts
    from monai_unlearn.index.store.store import Index
    from monai_unlearn.index.tables.join import Match


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build did.

    Attributes:
        index: The written index.
        patients: The number of patients of the usable images.
        without_patient: The number of usable images without a patient.
        formats: The number of usable images by format.
        faults: For each fault the number of files that have it, and the path of one.
        ignored: The number of files that were skipped because they do not look like images.
        matches: How the rows of each table matched the images.
        measures: How the files of each `--measures` matched the images.
        label_found: Whether the label was found by its name, rather than named by the user.
        patient_from: The tag or column that patients come from.
        files: How many files were reused, added, changed, moved, vanished.
        tags: For each tag that the user asked for, in how many DICOM images (`images`, `of` so many) it has a value,
            and in how many one that is `invalid` for its kind, and so missing.
    """

    index: Index
    patients: int
    without_patient: int
    formats: Mapping[str, int]
    faults: Mapping[Fault, tuple[int, str]]
    ignored: int
    matches: tuple[Match, ...]
    measures: tuple[MeasureMatch, ...]
    label_found: bool
    patient_from: str | None
    files: FileCounts
    tags: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def without_paths(self) -> BuildReport:
        """Return this with handles in place of the paths that were found: they may hold names of patients."""
        faults = {fault: (count, handle_of(path)) for fault, (count, path) in self.faults.items()}
        return replace(self, faults=faults, measures=tuple(match.without_paths() for match in self.measures))

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return {
            "index": str(self.index.directory),
            "digest": self.index.digest,
            "images": self.index.images,
            "rows": self.index.rows,
            "patients": self.patients,
            "images_without_patient": self.without_patient,
            "patient_from": self.patient_from,
            "formats": dict(self.formats),
            "faults": {
                fault.code: {"count": count, "example": path, "usable": fault.usable}
                for fault, (count, path) in self.faults.items()
            },
            "ignored": self.ignored,
            "label": self.index.label,
            "label_found": self.label_found,
            "tables": [match.document() for match in self.matches],
            "measures": [match.document() for match in self.measures],
            "units": dict(self.index.units),
            "files": self.files.document(),
            "tags": {tag: dict(counts) for tag, counts in self.tags.items()},
        }
