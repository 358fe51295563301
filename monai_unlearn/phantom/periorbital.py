"""Write periorbital phantom studies to a folder: photographs, label maps, measurement reports and diagnoses.

Every study has a photograph `images/PATIENT/study1.dcm` (VL Photographic Image), its label map
`masks/PATIENT/study1.png` with the values of `label_values.json`, and its measurements,
`reports/PATIENT/study1.dcm` (a TID 1500 measurement report). `labels.csv` holds the diagnosis of every image.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import dcmwrite

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
from monai_unlearn.phantom.periorbital_appearance import draw_appearance
from monai_unlearn.phantom.periorbital_camera import CAMERAS, draw_shot, frame_of, photograph
from monai_unlearn.phantom.periorbital_face import Face, change_between_visits, draw_face
from monai_unlearn.phantom.periorbital_labels import LABEL_VALUES, LabelMap, draw_labels
from monai_unlearn.phantom.periorbital_paint import paint
from monai_unlearn.phantom.periorbital_patients import Lack, Patient, Visit, draw_patient
from monai_unlearn.phantom.periorbital_photograph import encode
from monai_unlearn.phantom.periorbital_report import report, require_highdicom
from monai_unlearn.phantom.periorbital_statistics import Condition
from monai_unlearn.phantom.studies_summary import Summary, count_kinds, count_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monai_unlearn.phantom.periorbital_labels import FloatImage

IMAGES, MASKS, REPORTS = "images", "masks", "reports"
SIZES = (64, 2048)  # pixels across
FINENESS = 2  # painted pixels per side of a stored pixel

_FACE, _LATER, _SHOT, _ANNOTATED = 3, 4, 5, 6  # random streams, beside those of periorbital_patients.py


@dataclass(frozen=True, kw_only=True)
class PeriorbitalSummary(Summary):
    """Counts of what was written; an image may also lack the measurement of an eye.

    Attributes:
        reports: Whether measurement reports were written.
    """

    reports: bool

    @property
    def next_command(self) -> str:
        """The shell command that indexes these studies."""
        measures = ["--measures", str(self.out / REPORTS)] if self.reports else []
        return self.index_command(self.out / IMAGES, "--key", "SOPInstanceUID", "--label", "diagnosis", *measures)


def write_periorbital_studies(
    out: Path,
    *,
    patients: int = 400,
    seed: int = 0,
    size: int = 256,
    reports: bool = True,
    severity: float = 1.0,
    unread: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> PeriorbitalSummary:
    """Write the studies of phantom patients.

    The same seed and size give the same bytes, and a larger set begins with the same patients.

    Args:
        out: The folder to write to; new or empty.
        patients: How many patients, at least 1.
        seed: Which set of patients, 0 to 2**32 - 1.
        size: Pixels across every image, 64 to 2048; it has 0.4 times as many rows.
        reports: Whether to write measurement reports, which takes highdicom.
        severity: How marked disease is, as a factor: 1 is as in the clinic, 0.5 to 3.
        unread: The station whose images the table has as healthy, whatever they show, as if nobody had read them.
        progress: Called after each patient with how many are done.

    Raises:
        InputError: The folder is not new or empty, or cannot be written; a number is out of its range; there is no
            such station; or highdicom is missing.
    """
    check_numbers(patients=patients, seed=seed, size=size, sizes=SIZES)
    check_severity(severity)
    check_station(unread, (station for camera in CAMERAS for station in camera.stations))
    if reports:
        require_highdicom()
    rows: list[tuple[Patient, Visit]] = []
    with new_folder(out) as folder:
        for number in patient_numbers(patients, progress):
            rows.extend(_write_patient(folder, draw_patient(seed, number), size, reports=reports, severity=severity))
        labels = ((patient.uid(visit, "image", size), _filed(patient, visit, unread)) for patient, visit in rows)
        write_labels(folder, LABEL_COLUMNS, labels)
        (folder / "label_values.json").write_text(json.dumps(LABEL_VALUES, indent=1) + "\n", encoding="utf-8")
    return PeriorbitalSummary(
        out=out,
        seed=seed,
        size=size,
        patients=patients,
        images=len(rows),
        devices=count_models(visit.camera.model for _, visit in rows),
        diagnoses=count_kinds((patient.condition for patient, _ in rows), Condition),
        lacking=count_kinds((visit.lacks for _, visit in rows), Lack),
        reports=reports,
    )


def _filed(patient: Patient, visit: Visit, unread: str | None) -> str:
    return filed(patient.condition, visit.station, unread=unread, healthy=Condition.HEALTHY)


def _write_patient(
    folder: Path, patient: Patient, size: int, *, reports: bool, severity: float
) -> Iterator[tuple[Patient, Visit]]:
    for kind in (IMAGES, MASKS, REPORTS)[: 3 if reports else 2]:
        (folder / kind / patient.patient_id).mkdir(parents=True)
    for visit in patient.visits:
        face, labels, pixels = render(patient, visit, size, severity=severity)
        place = f"{patient.patient_id}/study{visit.number}"
        image = encode(patient, visit, pixels)
        dcmwrite(folder / IMAGES / f"{place}.dcm", image, enforce_file_format=True)
        Image.fromarray(labels).save(folder / MASKS / f"{place}.png")
        if reports:
            document = report(patient, visit, image, face.measurements())
            dcmwrite(folder / REPORTS / f"{place}.dcm", document, enforce_file_format=True)
        yield patient, visit


def render(
    patient: Patient, visit: Visit, size: int, *, severity: float = 1.0
) -> tuple[Face, LabelMap, npt.NDArray[np.uint8]]:
    """Return a visit's face, its label map, and its photograph: RGB of shape (rows, size, 3)."""
    rng = np.random.default_rng((patient.seed, patient.number, _FACE))
    face = draw_face(rng, patient.condition, severity=severity)
    appearance = draw_appearance(rng, redness=face.redness, swelling=face.swelling)
    if visit.number > 1:
        later = np.random.default_rng((patient.seed, patient.number, visit.number, _LATER))
        face = change_between_visits(later, face)
    shot_rng = np.random.default_rng((patient.seed, patient.number, visit.number, _SHOT))
    shot = draw_shot(shot_rng)
    frame = frame_of(visit.camera, shot, size=size)
    fine = paint(draw_labels(face, frame.enlarged(FINENESS)), appearance, shot_rng)
    return face, draw_labels(face, frame), photograph(_averaged(fine), visit.camera, shot, shot_rng)


def photograph_labels(labels: LabelMap, *, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Return a photograph of a face that only has a label map: RGB of shape (rows, columns, 3).

    Args:
        labels: A label map with the values of `LABEL_VALUES`, such as one annotated on a photograph.
        seed: Decides the skin, eyes and brows of the face.
    """
    rng = np.random.default_rng((seed, _ANNOTATED))
    appearance = draw_appearance(rng)
    fine = paint(labels.repeat(FINENESS, axis=0).repeat(FINENESS, axis=1), appearance, rng)
    return photograph(_averaged(fine), CAMERAS[0], draw_shot(rng), rng)


def _averaged(fine: FloatImage) -> FloatImage:
    channels, rows, columns = fine.shape
    blocks = fine.reshape(channels, rows // FINENESS, FINENESS, columns // FINENESS, FINENESS)
    averaged: FloatImage = blocks.mean(axis=(2, 4))
    return averaged
