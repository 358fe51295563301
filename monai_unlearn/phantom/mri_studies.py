"""Write phantom MR studies to a folder: DICOM slices or NIfTI volumes with masks, and the diagnoses beside them."""

from __future__ import annotations

import csv
import json
import shlex
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmwrite

from monai_unlearn.errors import InputError
from monai_unlearn.phantom.mri_head import BRAIN, LESION, draw_head, draw_pose, levels, scan, slice_at
from monai_unlearn.phantom.mri_image import SPACING, MriSlice, encode_slice
from monai_unlearn.phantom.mri_patients import Tumour, draw_mri_patient
from monai_unlearn.phantom.mri_volume import volume_levels, write_volume
from monai_unlearn.phantom.patients import Lack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from monai_unlearn.phantom.mri_head import Head, Labels
    from monai_unlearn.phantom.mri_patients import MriPatient, MriVisit

LABELS = "labels.csv"
MASK_LABELS = "mask_labels.json"
SMALLEST, LARGEST = 32, 512  # pixels a side
MOST_SLICES = 15
LAST_SEED = 2**32 - 1

_HEAD, _LIE, _SHOT = 3, 4, 5  # streams of random numbers, beside those of mri_patients.py
# What a NIfTI file cannot say of itself; columns bear the DICOM keywords.
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
class MriSummary:
    """What was written.

    Attributes:
        out: The folder.
        nifti: Whether volumes were written, with masks, instead of slices.
        images: Slices, or volumes.
        devices: Images by the model that took them, named or not.
        diagnoses: Images by diagnosis.
        lacking: Images that lack the tag of a device, a date or an age.
    """

    out: Path
    nifti: bool
    seed: int
    size: int
    patients: int
    images: int
    devices: dict[str, int]
    diagnoses: dict[str, int]
    lacking: dict[str, int]

    @property
    def labels(self) -> Path:
        """The table of diagnoses, by SOPInstanceUID or by file name."""
        return self.out / LABELS

    @property
    def next_command(self) -> str:
        """The command that indexes these studies, for a shell."""
        out = ["--out", f"{self.out}_index", "--table", str(self.labels), "--label", "diagnosis"]
        if self.nifti:
            masks = ["--measures", str(self.out / "masks"), "--mask-labels", str(self.out / MASK_LABELS)]
            source = [str(self.out / "images"), *out, "--key", "file_name", "--patient", "participant", *masks]
        else:
            source = [str(self.out), *out, "--key", "SOPInstanceUID"]
        return shlex.join(["monai-unlearn", "index", "build", *source])

    def document(self) -> dict[str, Any]:
        """Return the summary as plain values, for JSON."""
        return {**asdict(self), "out": str(self.out), "labels": str(self.labels), "next": self.next_command}


@dataclass(frozen=True, kw_only=True)
class _Set:
    """What is asked for: the same for every patient."""

    folder: Path
    seed: int
    size: int
    slices: int
    nifti: bool


@dataclass(frozen=True)
class _Image:
    """One image that was written, and its row in the table."""

    patient: MriPatient
    visit: MriVisit
    row: tuple[object, ...]


def write_mri_studies(
    out: Path,
    *,
    patients: int = 300,
    seed: int = 0,
    size: int = 128,
    slices: int = 3,
    nifti: bool = False,
    progress: Callable[[int], None] | None = None,
) -> MriSummary:
    """Write the studies of so many phantom patients.

    The same settings give the same bytes, and more patients leave the earlier ones as they were.

    Args:
        out: Where to; a folder that does not exist yet, or is empty.
        patients: How many, from 1.
        seed: Which set of patients, 0 to 2**32 - 1.
        size: Pixels a side of every slice, 32 to 512.
        slices: Slices a DICOM series, about the tumour, 1 to 15; a NIfTI volume holds the whole head.
        nifti: Write volumes and masks instead of slices.
        progress: Called after each patient with how many are done.

    Raises:
        InputError: The folder is not empty or cannot be written, or a number is out of its range.
    """
    _check_numbers(patients=patients, seed=seed, size=size, slices=slices)
    images: list[_Image] = []
    target = out.resolve()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InputError(f"{out}: expected a new or empty folder, but it holds something. Choose another folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as temporary:
            folder = Path(temporary) / "studies"
            asked = _Set(folder=folder, seed=seed, size=size, slices=slices, nifti=nifti)
            _prepare(asked)
            for number in range(1, patients + 1):
                images.extend(_write_patient(asked, number))
                if progress:
                    progress(number)
            _write_labels(asked, images)
            folder.replace(target)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}). Choose another folder.") from error
    return _summarise(out, asked, images, patients=patients)


def _check_numbers(*, patients: int, seed: int, size: int, slices: int) -> None:
    if patients < 1:
        raise InputError(f"Expected at least 1 patient, got {patients}.")
    if not 0 <= seed <= LAST_SEED:
        raise InputError(f"Expected a seed from 0 to {LAST_SEED}, got {seed}.")
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"Expected a size from {SMALLEST} to {LARGEST} pixels, got {size}.")
    if not 1 <= slices <= MOST_SLICES:
        raise InputError(f"Expected from 1 to {MOST_SLICES} slices a series, got {slices}.")


def _prepare(asked: _Set) -> None:
    asked.folder.mkdir()
    if asked.nifti:
        for name in ("images", "masks"):
            (asked.folder / name).mkdir()
        names = {"brain": BRAIN, "lesion": LESION}
        (asked.folder / MASK_LABELS).write_text(json.dumps(names) + "\n", encoding="utf-8")


def _write_patient(asked: _Set, number: int) -> Iterator[_Image]:
    patient = draw_mri_patient(asked.seed, number)
    write = _write_volume if asked.nifti else _write_slices
    for visit in patient.visits:
        # A visit shows the same head; its tumour may have grown.
        rng = np.random.default_rng((asked.seed, number, _HEAD))
        head = draw_head(rng, patient.tumour, brain=patient.brain)
        grown = {**vars(head), "radius": head.radius * visit.growth}
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
        yield shown.uid("image", asked.size), patient.tumour.value


def _write_volume(asked: _Set, patient: MriPatient, visit: MriVisit, head: Head) -> Iterator[tuple[object, ...]]:
    name = f"{patient.patient_id}_study{visit.number}.nii.gz"
    pixels, masks = zip(*_render(asked, patient, visit, head, volume_levels()), strict=True)
    write_volume(asked.folder / "images" / name, list(pixels))
    write_volume(asked.folder / "masks" / name, list(masks))
    scanner, lacks = visit.scanner, visit.lacks
    yield (
        name,
        patient.patient_id,
        patient.tumour.value,
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
    """Yield what the scanner stores of each level, and the label map beneath."""
    lie = np.random.default_rng((asked.seed, patient.number, visit.number, _LIE))
    pose, bearing = draw_pose(lie), lie.uniform(0.0, 2.0 * np.pi)
    rng = np.random.default_rng((asked.seed, patient.number, visit.number, _SHOT))
    shading = np.array([np.cos(bearing), np.sin(bearing)])
    for level in chosen:
        picture, added, labels = slice_at(head, pose, level=level, size=asked.size)
        yield scan(picture, added, visit.scanner, rng, shading=shading), labels


def _write_labels(asked: _Set, images: list[_Image]) -> None:
    with (asked.folder / LABELS).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_VOLUME_COLUMNS if asked.nifti else ("SOPInstanceUID", "diagnosis"))
        writer.writerows(image.row for image in images)


def _summarise(out: Path, asked: _Set, images: list[_Image], *, patients: int) -> MriSummary:
    diagnoses = Counter(image.patient.tumour for image in images)
    lacking = Counter(image.visit.lacks for image in images)
    return MriSummary(
        out=out,
        nifti=asked.nifti,
        seed=asked.seed,
        size=asked.size,
        patients=patients,
        images=len(images),
        devices=dict(sorted(Counter(image.visit.scanner.model for image in images).items())),
        diagnoses={tumour.value: diagnoses[tumour] for tumour in Tumour},
        lacking={lack.value: lacking[lack] for lack in Lack},
    )
