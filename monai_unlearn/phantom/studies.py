"""Write phantom fundus studies to a folder: one DICOM file per image, and a table of diagnoses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydicom import dcmwrite

from monai_unlearn.errors import InputError
from monai_unlearn.phantom.anatomy import draw_eye
from monai_unlearn.phantom.devices import DEVICES
from monai_unlearn.phantom.folder import (
    LABEL_COLUMNS,
    check_numbers,
    check_station,
    filed,
    new_folder,
    patient_numbers,
    write_labels,
)
from monai_unlearn.phantom.fundus import paint
from monai_unlearn.phantom.ophthalmic import Photograph, encode
from monai_unlearn.phantom.optics import draw_shot, photograph, view_of
from monai_unlearn.phantom.patients import LATERALITIES, Diagnosis, Lack, draw_patient
from monai_unlearn.phantom.studies_summary import Summary, count_kinds, count_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SIZES = (64, 2048)  # pixels per side

_EYE, _SHOT = 3, 4  # random streams, beside those of patients.py


@dataclass(frozen=True, kw_only=True)
class FundusSummary(Summary):
    """Counts of what was written."""

    @property
    def next_command(self) -> str:
        """The shell command that indexes these studies."""
        return self.index_command(self.out, "--key", "SOPInstanceUID", "--label", "diagnosis")


def write_fundus_studies(
    out: Path,
    *,
    patients: int = 300,
    seed: int = 0,
    size: int = 256,
    eyes: int = 2,
    unread: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> FundusSummary:
    """Write the studies of phantom patients.

    The same seed and size give the same bytes, and a larger set begins with the same patients.

    Args:
        out: The folder to write to; new or empty.
        patients: How many patients, at least 1.
        seed: Which set of patients, 0 to 2**32 - 1.
        size: Pixels per side of every image, 64 to 2048.
        eyes: How many eyes of each patient are photographed: 1, the right one, or 2.
        unread: The station whose images the table has as healthy, whatever they show, as if nobody had read them.
        progress: Called after each patient with how many are done.

    Raises:
        InputError: The folder is not new or empty, or cannot be written, a number is out of its range, or there is no
            such station.
    """
    check_numbers(patients=patients, seed=seed, size=size, sizes=SIZES)
    if not 1 <= eyes <= len(LATERALITIES):
        raise InputError(f"Expected 1 or {len(LATERALITIES)} eyes of each patient, got {eyes}.")
    check_station(unread, (station for device in DEVICES for station in device.stations))
    rows: list[Photograph] = []
    with new_folder(out) as folder:
        for number in patient_numbers(patients, progress):
            rows.extend(_write_patient(folder, seed, number, size, LATERALITIES[:eyes]))
        write_labels(folder, LABEL_COLUMNS, ((row.uid("image", size), _filed(row, unread)) for row in rows))
    return FundusSummary(
        out=out,
        seed=seed,
        size=size,
        patients=patients,
        images=len(rows),
        devices=count_models(row.visit.device.model for row in rows),
        diagnoses=count_kinds((row.diagnosis for row in rows), Diagnosis),
        lacking=count_kinds((row.lacks for row in rows), Lack),
    )


def _filed(row: Photograph, unread: str | None) -> str:
    return filed(row.diagnosis, row.visit.station, unread=unread, healthy=Diagnosis.NORMAL)


def _write_patient(
    folder: Path, seed: int, number: int, size: int, lateralities: Sequence[str]
) -> Iterator[Photograph]:
    patient = draw_patient(seed, number)
    for visit in patient.visits:
        study = folder / patient.patient_id / f"study{visit.number}"
        study.mkdir(parents=True)
        for laterality in lateralities:
            item = Photograph(seed, patient, visit, laterality)
            dcmwrite(study / f"{laterality}.dcm", encode(item, render(item, size)), enforce_file_format=True)
            yield item


def render(item: Photograph, size: int) -> npt.NDArray[np.uint8]:
    """Return the photograph's pixels: RGB of shape (size, size, 3)."""
    eye_number = LATERALITIES.index(item.laterality) + 1
    eye_rng = np.random.default_rng((item.seed, item.patient.number, eye_number, _EYE))
    eye = draw_eye(eye_rng, item.diagnosis)
    rng = np.random.default_rng((item.seed, item.patient.number, eye_number, item.visit.number, _SHOT))
    optics, shot = item.visit.device.optics, draw_shot(rng)
    view = view_of(optics, shot, size=size, mirrored=item.laterality == "L")
    return photograph(paint(eye, view), optics, shot, rng)
