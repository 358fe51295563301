"""Write phantom MR studies to a folder: DICOM slices or NIfTI volumes with masks, and a table of diagnoses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmwrite

from monai_unlearn.errors import InputError
from monai_unlearn.phantom.folder import (
    LABEL_COLUMNS,
    check_numbers,
    check_severity,
    check_station,
    filed,
    new_folder,
    patient_numbers,
    write_labels,
)
from monai_unlearn.phantom.mri_head import draw_head, draw_pose, levels
from monai_unlearn.phantom.mri_image import SPACING, MriSlice, encode_slice
from monai_unlearn.phantom.mri_patients import Tumour, draw_mri_patient
from monai_unlearn.phantom.mri_scan import scan
from monai_unlearn.phantom.mri_scanners import SCANNERS
from monai_unlearn.phantom.mri_slice import BRAIN, LESION, slice_at
from monai_unlearn.phantom.mri_volume import volume_levels, write_volume
from monai_unlearn.phantom.patients import Lack
from monai_unlearn.phantom.studies_summary import Summary, count_kinds, count_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from monai_unlearn.phantom.mri_head import Head
    from monai_unlearn.phantom.mri_patients import MriPatient, MriVisit
    from monai_unlearn.phantom.mri_slice import Labels

IMAGES, MASKS = "images", "masks"
MASK_LABELS = "mask_labels.json"
SIZES = (32, 512)  # pixels per side
MOST_SLICES = 15

_HEAD, _LIE, _SHOT = 3, 4, 5  # random streams, beside those of mri_patients.py
# Metadata that a NIfTI file cannot hold; columns are named after DICOM keywords.
_VOLUME_COLUMNS = (
    "file_name",
    "participant",
    "diagnosis",
    "Manufacturer",
    "ManufacturerModelName",
    "MagneticFieldStrength",
    "StudyDate",
    "PatientSex",
    "age",
)


@dataclass(frozen=True, kw_only=True)
class MriSummary(Summary):
    """Counts of what was written; an image is a slice or a volume.

    Attributes:
        nifti: Whether volumes were written, with masks, instead of slices.
    """

    nifti: bool

    @property
    def next_command(self) -> str:
        """The shell command that indexes these studies."""
        if not self.nifti:
            return self.index_command(self.out, "--label", "diagnosis", "--key", "SOPInstanceUID")
        key = ["--label", "diagnosis", "--key", "file_name", "--patient", "participant"]
        masks = ["--measures", str(self.out / MASKS), "--mask-labels", str(self.out / MASK_LABELS)]
        return self.index_command(self.out / IMAGES, *key, *masks)


@dataclass(frozen=True, kw_only=True)
class _Set:
    """The settings of a set, the same for every patient."""

    folder: Path
    seed: int
    size: int
    slices: int
    nifti: bool
    severity: float
    unread: str | None

    def filed(self, patient: MriPatient, visit: MriVisit) -> str:
        """Return the diagnosis that the table has for a visit."""
        return filed(patient.tumour, visit.station, unread=self.unread, healthy=Tumour.NONE)


@dataclass(frozen=True)
class _Image:
    """One image that was written, and its row in the table."""

    patient: MriPatient
    visit: MriVisit
    row: tuple[object, ...]


def write_mri_studies(  # noqa: PLR0913 - one for each property of a set
    out: Path,
    *,
    patients: int = 300,
    seed: int = 0,
    size: int = 128,
    slices: int = 3,
    nifti: bool = False,
    severity: float = 1.0,
    unread: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> MriSummary:
    """Write the studies of phantom patients.

    The same settings give the same bytes, and a larger set begins with the same patients.

    Args:
        out: The folder to write to; new or empty.
        patients: How many patients, at least 1.
        seed: Which set of patients, 0 to 2**32 - 1.
        size: Pixels per side of every slice, 32 to 512.
        slices: Slices per DICOM series, centred on the tumour, 1 to 15; a NIfTI volume holds the whole head.
        nifti: Write volumes and masks instead of slices.
        severity: How large tumours are, as a factor on their radius: 1 is as in the clinic, 0.5 to 3.
        unread: The station whose images the table has as healthy, whatever they show, as if nobody had read them.
        progress: Called after each patient with how many are done.

    Raises:
        InputError: The folder is not new or empty, or cannot be written, a number is out of its range, or there is no
            such station.
    """
    check_numbers(patients=patients, seed=seed, size=size, sizes=SIZES)
    if not 1 <= slices <= MOST_SLICES:
        raise InputError(f"Expected from 1 to {MOST_SLICES} slices per series, got {slices}.")
    check_severity(severity)
    check_station(unread, (station for scanner in SCANNERS for station in scanner.stations))
    images: list[_Image] = []
    with new_folder(out) as folder:
        asked = _Set(folder=folder, seed=seed, size=size, slices=slices, nifti=nifti, severity=severity, unread=unread)
        if nifti:
            _prepare_volumes(folder)
        for number in patient_numbers(patients, progress):
            images.extend(_write_patient(asked, number))
        write_labels(folder, _VOLUME_COLUMNS if nifti else LABEL_COLUMNS, (image.row for image in images))
    return MriSummary(
        out=out,
        nifti=nifti,
        seed=seed,
        size=size,
        patients=patients,
        images=len(images),
        devices=count_models(image.visit.scanner.model for image in images),
        diagnoses=count_kinds((image.patient.tumour for image in images), Tumour),
        lacking=count_kinds((image.visit.lacks for image in images), Lack),
    )


def _prepare_volumes(folder: Path) -> None:
    for name in (IMAGES, MASKS):
        (folder / name).mkdir()
    names = {"brain": BRAIN, "lesion": LESION}
    (folder / MASK_LABELS).write_text(json.dumps(names) + "\n", encoding="utf-8")


def _write_patient(asked: _Set, number: int) -> Iterator[_Image]:
    patient = draw_mri_patient(asked.seed, number)
    write = _write_volume if asked.nifti else _write_slices
    for visit in patient.visits:
        # A visit shows the same head; its tumour may have grown.
        rng = np.random.default_rng((asked.seed, number, _HEAD))
        head = draw_head(rng, patient.tumour, brain=patient.brain)
        grown = {**vars(head), "radius": head.radius * visit.growth * asked.severity}
        for row in write(asked, patient, visit, type(head)(**grown)):
            yield _Image(patient, visit, row)


def _write_slices(asked: _Set, patient: MriPatient, visit: MriVisit, head: Head) -> Iterator[tuple[object, ...]]:
    study = asked.folder / patient.patient_id / f"study{visit.number}"
    study.mkdir(parents=True)
    chosen = list(levels(head, slices=asked.slices, spacing=SPACING))
    rendered = _render(asked, patient, visit, head, chosen)
    for number, (level, (pixels, _)) in enumerate(zip(chosen, rendered, strict=True), start=1):
        shown = MriSlice(seed=asked.seed, patient=patient, visit=visit, number=number, level=level)
        dcmwrite(study / f"{number:03d}.dcm", encode_slice(shown, pixels), enforce_file_format=True)
        yield shown.uid("image", asked.size), asked.filed(patient, visit)


def _write_volume(asked: _Set, patient: MriPatient, visit: MriVisit, head: Head) -> Iterator[tuple[object, ...]]:
    name = f"{patient.patient_id}_study{visit.number}.nii.gz"
    pixels, masks = zip(*_render(asked, patient, visit, head, volume_levels()), strict=True)
    write_volume(asked.folder / IMAGES / name, list(pixels))
    write_volume(asked.folder / MASKS / name, list(masks))
    scanner, lacks = visit.scanner, visit.lacks
    yield (
        name,
        patient.patient_id,
        asked.filed(patient, visit),
        scanner.manufacturer,
        "" if lacks is Lack.DEVICE else scanner.model,
        scanner.field_strength,
        "" if lacks is Lack.DATE else f"{visit.time:%Y-%m-%d}",
        patient.sex,
        "" if lacks is Lack.AGE else visit.age,
    )


def _render(
    asked: _Set, patient: MriPatient, visit: MriVisit, head: Head, chosen: list[float]
) -> Iterator[tuple[npt.NDArray[np.uint16], Labels]]:
    """Yield the stored pixels of each level, and its label map."""
    lie = np.random.default_rng((asked.seed, patient.number, visit.number, _LIE))
    pose, bearing = draw_pose(lie), lie.uniform(0.0, 2.0 * np.pi)
    rng = np.random.default_rng((asked.seed, patient.number, visit.number, _SHOT))
    shading = np.array([np.cos(bearing), np.sin(bearing)])
    for level in chosen:
        image, added, labels = slice_at(head, pose, level=level, size=asked.size)
        yield scan(image, added, visit.scanner, rng, shading=shading), labels
