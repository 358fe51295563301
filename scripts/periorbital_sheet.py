"""Draw the sheet of phantom faces in the README of the oculoplastic bundle.

    python scripts/periorbital_sheet.py

Rows: cameras. Columns, in pairs: healthy, thyroid eye disease, craniofacial deformity.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import islice
from pathlib import Path

from PIL import Image

from monai_unlearn.phantom.periorbital import render
from monai_unlearn.phantom.periorbital_camera import CAMERAS
from monai_unlearn.phantom.periorbital_patients import Patient, draw_patient
from monai_unlearn.phantom.periorbital_statistics import Condition

ROOT = Path(__file__).resolve().parent.parent
SHEET = ROOT / "bundles" / "oculoplastic_classifier" / "docs" / "phantoms.png"
WIDTH, HEIGHT, GAP = 240, 96, 4
EACH = 2
COLOURS = 192  # enough for skin; the file stays below 300 KB


def patients_with(condition: Condition, count: int) -> list[Patient]:
    numbers = iter(range(1, 1000))
    every = (draw_patient(0, number) for number in numbers)
    return list(islice((patient for patient in every if patient.condition is condition), count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=SHEET)
    options = parser.parse_args()
    columns = EACH * len(Condition)
    shape = (columns * (WIDTH + GAP) - GAP, len(CAMERAS) * (HEIGHT + GAP) - GAP)
    sheet = Image.new("RGB", shape, "white")
    shown = [patients_with(condition, EACH * len(CAMERAS)) for condition in Condition]
    for row, camera in enumerate(CAMERAS):
        for column in range(columns):
            patient = shown[column // EACH][row * EACH + column % EACH]
            visit = replace(patient.visits[0], camera=camera, station=camera.stations[0])
            photograph = Image.fromarray(render(patient, visit, WIDTH)[2])
            sheet.paste(photograph, (column * (WIDTH + GAP), row * (HEIGHT + GAP)))
    small = sheet.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(options.out, optimize=True)
    print(f"{options.out}: {options.out.stat().st_size // 1000} KB")


if __name__ == "__main__":
    main()
