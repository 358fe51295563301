"""What a build is asked to index, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.index.patient_key import PatientKey
from monai_unlearn.index.plausible import today
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.tables.kept_words import KeptWords

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.index.tables.key import Key


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """What to index, and how.

    Attributes:
        sources: Folders and files.
        out: The folder of the index.
        keys: The tables and how they are matched.
        label: The column that contains the class; found by its name if null.
        patient: The column of a table that names the patient of every image.
        patient_key: What makes two PatientIDs one patient.
        include_derived: Whether derived objects that have pixels, such as segmentations, count as images.
        units: The units of columns of tables.
        delimiter: What separates the values of the CSVs among the tables; null for what their suffixes say.
        kept: The words for a missing value that are values of their columns.
        measures: Files and folders of NIfTI masks, DICOM segmentations and DICOM measurement reports.
        mask_labels: The file that names the labels of NIfTI masks.
        scan: How files are read.
        built: The day of the build: a date after it is implausible.
    """

    sources: tuple[Path, ...]
    out: Path
    keys: tuple[Key, ...] = ()
    label: str | None = None
    patient: str | None = None
    patient_key: PatientKey = field(default_factory=PatientKey)
    include_derived: bool = False
    units: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    kept: KeptWords = field(default_factory=KeptWords)
    measures: tuple[Path, ...] = ()
    mask_labels: Path | None = None
    scan: ScanOptions = field(default_factory=ScanOptions)
    built: dt.date = field(default_factory=today)

    @property
    def not_images(self) -> list[Path]:
        """Files and folders that are not images, wherever they are."""
        labels = [] if self.mask_labels is None else [self.mask_labels]
        return [self.out, *(key.table for key in self.keys), *labels]
