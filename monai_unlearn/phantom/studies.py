"""Write phantom fundus studies to a folder: one DICOM file an image, and the diagnoses beside them."""

from __future__ import annotations

import csv
import shlex
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmwrite

from monai_unlearn.errors import InputError
from monai_unlearn.phantom.anatomy import draw_eye
from monai_unlearn.phantom.fundus import paint
from monai_unlearn.phantom.ophthalmic import Photograph, encode
from monai_unlearn.phantom.optics import draw_shot, photograph, view_of
from monai_unlearn.phantom.patients import LATERALITIES, Diagnosis, Lack, draw_patient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LABELS = "labels.csv"
SMALLEST, LARGEST = 64, 2048  # pixels a side
LAST_SEED = 2**32 - 1

_EYE, _SHOT = 3, 4  # streams of random numbers, beside those of patients.py


@dataclass(frozen=True)
class Summary:
    """What was written.

    Attributes:
        out: The folder.
        devices: Images by the model that took them, named in the file or not.
        diagnoses: Images by diagnosis.
        lacking: Images that lack the tag of a device, a date or an age.
    """

    out: Path
    seed: int
    size: int
    patients: int
    images: int
    devices: dict[str, int]
    diagnoses: dict[str, int]
    lacking: dict[str, int]

    @property
    def labels(self) -> Path:
        """The table of diagnoses, by SOPInstanceUID."""
        return self.out / LABELS

    @property
    def next_command(self) -> str:
        """The command that indexes these studies, for a shell."""
        paths = [str(self.out), "--out", f"{self.out}_index", "--table", str(self.labels)]
        columns = ["--key", "SOPInstanceUID", "--label", "diagnosis"]
        return shlex.join(["monai-unlearn", "index", "build", *paths, *columns])

    def document(self) -> dict[str, Any]:
        """Return the summary as plain values, for JSON."""
        return {**asdict(self), "out": str(self.out), "labels": str(self.labels), "next": self.next_command}


def write_fundus_studies(
    out: Path,
    *,
    patients: int = 300,
    seed: int = 0,
    size: int = 256,
    progress: Callable[[int], None] | None = None,
) -> Summary:
    """Write the studies of so many phantom patients.

    The same seed and size give the same bytes, and more patients leave the earlier ones as they were.

    Args:
        out: Where to; a folder that does not exist yet, or is empty.
        patients: How many, from 1.
        seed: Which set of patients, 0 to 2**32 - 1.
        size: Pixels a side of every image, 64 to 2048.
        progress: Called after each patient with how many are done.

    Raises:
        InputError: The folder is not empty or cannot be written, or a number is out of its range.
    """
    _check_numbers(patients, seed, size)
    rows: list[Photograph] = []
    target = out.resolve()
    try:
        _check_free(target, out)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as temporary:
            folder = Path(temporary) / "studies"
            folder.mkdir()
            for number in range(1, patients + 1):
                rows.extend(_write_patient(folder, seed, number, size))
                if progress:
                    progress(number)
            _write_labels(folder / LABELS, rows, size)
            folder.replace(target)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}). Choose another folder.") from error
    return _summarise(out, rows, patients=patients, seed=seed, size=size)


def _check_numbers(patients: int, seed: int, size: int) -> None:
    if patients < 1:
        raise InputError(f"Expected at least 1 patient, got {patients}.")
    if not 0 <= seed <= LAST_SEED:
        raise InputError(f"Expected a seed from 0 to {LAST_SEED}, got {seed}.")
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"Expected a size from {SMALLEST} to {LARGEST} pixels, got {size}.")


def _check_free(target: Path, out: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{out}: expected a new or empty folder, but it holds something. Choose another folder.")


def _write_patient(folder: Path, seed: int, number: int, size: int) -> Iterator[Photograph]:
    patient = draw_patient(seed, number)
    for visit in patient.visits:
        study = folder / patient.patient_id / f"study{visit.number}"
        study.mkdir(parents=True)
        for laterality in LATERALITIES:
            item = Photograph(seed, patient, visit, laterality)
            dcmwrite(study / f"{laterality}.dcm", encode(item, render(item, size)), enforce_file_format=True)
            yield item


def render(item: Photograph, size: int) -> npt.NDArray[np.uint8]:
    """Return the photograph's pixels: RGB of shape (size, size, 3)."""
    eye_number = LATERALITIES.index(item.laterality) + 1
    eye_rng = np.random.default_rng((item.seed, item.patient.number, eye_number, _EYE))
    eye = draw_eye(eye_rng, item.patient.diagnoses[item.laterality])
    rng = np.random.default_rng((item.seed, item.patient.number, eye_number, item.visit.number, _SHOT))
    optics, shot = item.visit.device.optics, draw_shot(rng)
    view = view_of(optics, shot, size=size, mirrored=item.laterality == "L")
    return photograph(paint(eye, view), optics, shot, rng)


def _write_labels(path: Path, rows: list[Photograph], size: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["SOPInstanceUID", "diagnosis"])
        writer.writerows([row.uid("image", size), row.patient.diagnoses[row.laterality].value] for row in rows)


def _summarise(out: Path, rows: list[Photograph], *, patients: int, seed: int, size: int) -> Summary:
    diagnoses = Counter(row.patient.diagnoses[row.laterality] for row in rows)
    lacking = Counter(row.lacks for row in rows)
    return Summary(
        out=out,
        seed=seed,
        size=size,
        patients=patients,
        images=len(rows),
        devices=dict(sorted(Counter(row.visit.device.model for row in rows).items())),
        diagnoses={diagnosis.value: diagnoses[diagnosis] for diagnosis in Diagnosis},
        lacking={lack.value: lacking[lack] for lack in Lack},
    )
