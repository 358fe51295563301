"""A small set of phantom studies, written once for all tests that read it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from monai_unlearn.phantom import Summary, write_fundus_studies
from monai_unlearn.phantom.ophthalmic import Photograph
from monai_unlearn.phantom.patients import draw_patient

if TYPE_CHECKING:
    from monai_unlearn.phantom.devices import Device

# Up to the 31st patient every kind of lacking tag occurs.
PATIENTS = 31


@pytest.fixture(scope="session")
def studies(tmp_path_factory) -> Summary:
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
