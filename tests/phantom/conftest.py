"""A small set of phantom studies, written once for all tests that read it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from monai_unlearn.phantom import FundusSummary, write_fundus_studies
from monai_unlearn.phantom.ophthalmic import Photograph
from monai_unlearn.phantom.patients import draw_patient

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.phantom.devices import Device

# Up to the 31st patient every kind of lacking tag occurs.
PATIENTS = 31


@pytest.fixture(scope="session")
def studies(tmp_path_factory) -> FundusSummary:
    return write_fundus_studies(tmp_path_factory.mktemp("phantom") / "studies", patients=PATIENTS, seed=5, size=64)


@pytest.fixture
def photograph():
    """Return a function that describes a photograph of a patient, taken with any device."""

    def describe(number: int, *, device: Device | None = None, laterality: str = "R", seed: int = 5) -> Photograph:
        patient = draw_patient(seed, number)
        visit = patient.visits[0]
        if device:
            visit = replace(visit, device=device, station=device.stations[0])
        return Photograph(seed, patient, visit, laterality)

    return describe


@pytest.fixture(scope="session")
def contents():
    """Return a function that reads all files of a folder, by their place in it."""

    def read(folder: Path) -> dict[str, bytes]:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return read
