"""Who the phantom patients are: diagnoses, visits, cameras and dates, drawn one patient at a time.

Each patient has their own random stream, so that a larger set begins with the same patients.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

import numpy as np

from monai_unlearn.phantom.assignment import assign, assign_seldom
from monai_unlearn.phantom.devices import CIRRUS, SPECTRALIS, Device, Station

LATERALITIES = ("R", "L")

_FIRST_DAY = dt.date(2015, 1, 1)
_LAST_DAY = dt.date(2018, 12, 31)
_CIRRUS_SHARE = 0.45
_SAME_DIAGNOSIS_SHARE = 0.9
_SECOND_VISIT_SHARE = 0.15
_SECOND_VISIT_AFTER = (60, 500)  # days

# Every 14th patient has one image that lacks a tag, starting with the third: about 3 % of all images, and at least one
# even in a small set.
_LACKS_EVERY, _LACKS_FROM = 14, 3

# The last number of a seed names its stream, and is never 0: trailing zeros do not change a numpy seed. 2 belongs to
# assignment.py.
_DEMOGRAPHY = 1


class Diagnosis(str, Enum):
    """What an eye has."""

    NORMAL = "normal"
    DIABETIC_RETINOPATHY = "diabetic_retinopathy"
    GLAUCOMA = "glaucoma"


class Lack(str, Enum):
    """The tag that an image lacks."""

    DEVICE = "device"
    DATE = "date"
    AGE = "age"


# Youngest and oldest age at the first visit, in years.
_AGES = {
    Diagnosis.NORMAL: (24, 80),
    Diagnosis.DIABETIC_RETINOPATHY: (35, 82),
    Diagnosis.GLAUCOMA: (45, 88),
}


@dataclass(frozen=True)
class Visit:
    """One study of a patient: both eyes, one camera, one day.

    Attributes:
        number: 1 for the first visit, 2 for the second.
        age: The patient's age at the visit, in years.
        lacks: What one image of the visit lacks, by laterality.
    """

    number: int
    device: Device
    station: Station
    time: dt.datetime
    age: int
    lacks: dict[str, Lack]


@dataclass(frozen=True)
class Patient:
    """A phantom patient; `number` counts from 1, `diagnoses` is by laterality."""

    number: int
    sex: str
    diagnoses: dict[str, Diagnosis]
    visits: tuple[Visit, ...]

    @property
    def patient_id(self) -> str:
        """PatientID."""
        return f"PHANTOM-{self.number:06d}"


def draw_patient(seed: int, number: int) -> Patient:
    """Draw patient `number` (from 1) of the set of this seed."""
    rng = np.random.default_rng((seed, number, _DEMOGRAPHY))
    diagnoses = _draw_diagnoses(rng, seed, number)
    sex = "FM"[rng.integers(2)]
    return Patient(number, sex, diagnoses, _draw_visits(rng, number, diagnoses["R"]))


def _draw_diagnoses(rng: np.random.Generator, seed: int, number: int) -> dict[str, Diagnosis]:
    right = assign(list(Diagnosis), seed=seed, number=number)
    others = [diagnosis for diagnosis in Diagnosis if diagnosis is not right]
    left = right if rng.random() < _SAME_DIAGNOSIS_SHARE else others[rng.integers(len(others))]
    return {"R": right, "L": left}


def _draw_visits(rng: np.random.Generator, number: int, diagnosis: Diagnosis) -> tuple[Visit, ...]:
    youngest, oldest = _AGES[diagnosis]
    age_in_days = rng.integers(youngest * 365, oldest * 365)
    devices = (CIRRUS, SPECTRALIS) if rng.random() < _CIRRUS_SHARE else (SPECTRALIS, CIRRUS)
    count = 2 if rng.random() < _SECOND_VISIT_SHARE else 1
    until_second = int(rng.integers(*_SECOND_VISIT_AFTER))
    span = (_LAST_DAY - _FIRST_DAY).days + 1 - (until_second if count > 1 else 0)
    first = int(rng.integers(span))
    laterality = LATERALITIES[rng.integers(len(LATERALITIES))]
    lack = assign_seldom(list(Lack), number=number, every=_LACKS_EVERY, first=_LACKS_FROM)
    visits = []
    for index, (device, days) in enumerate(zip(devices[:count], (0, until_second), strict=False)):
        minutes = int(rng.integers(8 * 60, 17 * 60))
        time = dt.datetime.combine(_FIRST_DAY, dt.time()) + dt.timedelta(days=first + days, minutes=minutes)
        station = device.stations[rng.integers(len(device.stations))]
        lacks = {laterality: lack} if lack and index == 0 else {}
        visits.append(Visit(index + 1, device, station, time, int(age_in_days + days) // 365, lacks))
    return tuple(visits)
