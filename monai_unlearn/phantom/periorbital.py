"""Write periorbital phantom studies to a folder: photographs, label maps, measurement reports and diagnoses.

Every study has a photograph `images/PATIENT/study1.dcm` (VL Photographic Image), its label map
`masks/PATIENT/study1.png` with the values of `label_values.json`, and what was measured in it,
`reports/PATIENT/study1.dcm` (a TID 1500 measurement report). `labels.csv` holds the diagnosis of every image.
"""

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
import numpy.typing as npt
from PIL import Image
from pydicom import dcmwrite

from monai_unlearn.errors import InputError
from monai_unlearn.phantom.periorbital_camera import CAMERAS, draw_shot, frame_of, photograph
from monai_unlearn.phantom.periorbital_face import Face, change_between_visits, draw_face
from monai_unlearn.phantom.periorbital_labels import LABEL_VALUES, LabelMap, draw_labels
from monai_unlearn.phantom.periorbital_paint import draw_look, paint
from monai_unlearn.phantom.periorbital_patients import Lack, Patient, Visit, draw_patient
from monai_unlearn.phantom.periorbital_photograph import encode
from monai_unlearn.phantom.periorbital_report import report, require_highdicom
from monai_unlearn.phantom.periorbital_statistics import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monai_unlearn.phantom.periorbital_labels import FloatImage

LABELS = "labels.csv"
IMAGES, MASKS, REPORTS = "images", "masks", "reports"
SMALLEST, LARGEST = 64, 2048  # pixels across
LAST_SEED = 2**32 - 1
FINENESS = 2  # so many times as many pixels a side are painted as kept

_FACE, _LATER, _SHOT, _ANNOTATED = 3, 4, 5, 6  # streams of random numbers, beside those of periorbital_patients.py


@dataclass(frozen=True)
class PeriorbitalSummary:
    """What was written.

    Attributes:
        out: The folder.
        devices: Images by the model that took them, named in the file or not.
        diagnoses: Images by diagnosis.
        lacking: Images that lack the tag of a device, a date or an age, or the measurement of an eye.
        reports: Whether measurement reports were written.
    """

    out: Path
    seed: int
    size: int
    patients: int
    images: int
    devices: dict[str, int]
    diagnoses: dict[str, int]
    lacking: dict[str, int]
    reports: bool

    @property
    def labels(self) -> Path:
        """The table of diagnoses, by SOPInstanceUID."""
        return self.out / LABELS

    @property
    def next_command(self) -> str:
        """The command that indexes these studies, for a shell."""
        paths = [str(self.out / IMAGES), "--out", f"{self.out}_index", "--table", str(self.labels)]
        columns = ["--key", "SOPInstanceUID", "--label", "diagnosis"]
        measures = ["--measures", str(self.out / REPORTS)] if self.reports else []
        return shlex.join(["monai-unlearn", "index", "build", *paths, *columns, *measures])

    def document(self) -> dict[str, Any]:
        """Return the summary as plain values, for JSON."""
        return {**asdict(self), "out": str(self.out), "labels": str(self.labels), "next": self.next_command}


def write_periorbital_studies(
    out: Path,
    *,
    patients: int = 400,
    seed: int = 0,
    size: int = 256,
    reports: bool = True,
    progress: Callable[[int], None] | None = None,
) -> PeriorbitalSummary:
    """Write the studies of so many phantom patients.

    The same seed and size give the same bytes, and more patients leave the earlier ones as they were.

    Args:
        out: Where to; a folder that does not exist yet, or is empty.
        patients: How many, from 1.
        seed: Which set of patients, 0 to 2**32 - 1.
        size: Pixels across every image, 64 to 2048; it has 0.4 times as many rows.
        reports: Whether to write measurement reports, which takes highdicom.
        progress: Called after each patient with how many are done.

    Raises:
        InputError: The folder is not empty or cannot be written, a number is out of its range, or highdicom is missing.
    """
    _check_numbers(patients, seed, size)
    if reports:
        require_highdicom()
    rows: list[tuple[Patient, Visit]] = []
    target = out.resolve()
    try:
        _check_free(target, out)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as temporary:
            folder = Path(temporary) / "studies"
            for number in range(1, patients + 1):
                rows.extend(_write_patient(folder, draw_patient(seed, number), size, reports=reports))
                if progress:
                    progress(number)
            _write_tables(folder, rows, size)
            folder.replace(target)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}). Choose another folder.") from error
    return _summarise(out, rows, patients=patients, seed=seed, size=size, reports=reports)


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


def _write_patient(folder: Path, patient: Patient, size: int, *, reports: bool) -> Iterator[tuple[Patient, Visit]]:
    for kind in (IMAGES, MASKS, REPORTS)[: 3 if reports else 2]:
        (folder / kind / patient.patient_id).mkdir(parents=True)
    for visit in patient.visits:
        face, labels, pixels = render(patient, visit, size)
        place = f"{patient.patient_id}/study{visit.number}"
        image = encode(patient, visit, pixels)
        dcmwrite(folder / IMAGES / f"{place}.dcm", image, enforce_file_format=True)
        Image.fromarray(labels).save(folder / MASKS / f"{place}.png")
        if reports:
            document = report(patient, visit, image, face.measurements())
            dcmwrite(folder / REPORTS / f"{place}.dcm", document, enforce_file_format=True)
        yield patient, visit


def render(patient: Patient, visit: Visit, size: int) -> tuple[Face, LabelMap, npt.NDArray[np.uint8]]:
    """Return a visit's face, its label map, and its photograph: RGB of shape (rows, size, 3)."""
    rng = np.random.default_rng((patient.seed, patient.number, _FACE))
    face = draw_face(rng, patient.condition)
    look = draw_look(rng, redness=face.redness, swelling=face.swelling)
    if visit.number > 1:
        later = np.random.default_rng((patient.seed, patient.number, visit.number, _LATER))
        face = change_between_visits(later, face)
    shot_rng = np.random.default_rng((patient.seed, patient.number, visit.number, _SHOT))
    shot = draw_shot(shot_rng)
    frame = frame_of(visit.camera, shot, size=size)
    fine = paint(draw_labels(face, frame.enlarged(FINENESS)), look, shot_rng)
    return face, draw_labels(face, frame), photograph(_averaged(fine), visit.camera, shot, shot_rng)


def photograph_labels(labels: LabelMap, *, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Return a photograph of a face of which the label map alone is known: RGB of shape (rows, columns, 3).

    Args:
        labels: A label map with the values of `LABEL_VALUES`, such as one annotated on a photograph.
        seed: Which skin, eyes and brows the face has.
    """
    rng = np.random.default_rng((seed, _ANNOTATED))
    look = draw_look(rng)
    fine = paint(labels.repeat(FINENESS, axis=0).repeat(FINENESS, axis=1), look, rng)
    return photograph(_averaged(fine), CAMERAS[0], draw_shot(rng), rng)


def _averaged(fine: FloatImage) -> FloatImage:
    channels, rows, columns = fine.shape
    blocks = fine.reshape(channels, rows // FINENESS, FINENESS, columns // FINENESS, FINENESS)
    averaged: FloatImage = blocks.mean(axis=(2, 4))
    return averaged


def _write_tables(folder: Path, rows: list[tuple[Patient, Visit]], size: int) -> None:
    with (folder / LABELS).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["SOPInstanceUID", "diagnosis"])
        writer.writerows([patient.uid(visit, "image", size), patient.condition.value] for patient, visit in rows)
    values = json.dumps(LABEL_VALUES, indent=1) + "\n"
    (folder / "label_values.json").write_text(values, encoding="utf-8")


def _summarise(
    out: Path, rows: list[tuple[Patient, Visit]], *, patients: int, seed: int, size: int, reports: bool
) -> PeriorbitalSummary:
    diagnoses = Counter(patient.condition for patient, _ in rows)
    lacking = Counter(visit.lacks for _, visit in rows)
    return PeriorbitalSummary(
        out=out,
        seed=seed,
        size=size,
        patients=patients,
        images=len(rows),
        devices=dict(sorted(Counter(visit.camera.model for _, visit in rows).items())),
        diagnoses={condition.value: diagnoses[condition] for condition in Condition},
        lacking={lack.value: lacking[lack] for lack in Lack},
        reports=reports,
    )
