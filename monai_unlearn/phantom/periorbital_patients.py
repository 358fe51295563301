"""Who the patients of the periorbital phantoms are: conditions, visits, cameras and dates, one patient at a time.

Each patient has their own random streams, so that a larger set begins with the same patients.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.phantom.assignment import assign, assign_seldom
from monai_unlearn.phantom.dicom_parts import name_based_uid
from monai_unlearn.phantom.periorbital_camera import CAMERAS, Camera
from monai_unlearn.phantom.periorbital_statistics import Condition

if TYPE_CHECKING:
    from monai_unlearn.phantom.devices import Station

# The conditions of ten consecutive patients, in an order drawn for them: as uneven as in a clinic, in sets of any size.
BLOCK = (
    *[Condition.HEALTHY] * 5,
    *[Condition.THYROID_EYE_DISEASE] * 3,
    *[Condition.CRANIOFACIAL_DEFORMITY] * 2,
)

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "periorbital.phantom.monai-unlearn")
_FIRST_DAY, _LAST_DAY = dt.date(2016, 1, 1), dt.date(2019, 12, 31)
_CAMERA_SHARES = (0.45, 0.30, 0.25)
_SECOND_VISIT_SHARE = 0.25
_SECOND_VISIT_AFTER = (60, 500)  # days
# Youngest and oldest at the first visit, in years, and the share of women. Thyroid eye disease is about four times as
# common in women; most patients with craniofacial deformities are seen young.
_AGES = {
    Condition.HEALTHY: (18, 80),
    Condition.THYROID_EYE_DISEASE: (22, 78),
    Condition.CRANIOFACIAL_DEFORMITY: (16, 45),
}
_WOMEN = {Condition.HEALTHY: 0.5, Condition.THYROID_EYE_DISEASE: 0.8, Condition.CRANIOFACIAL_DEFORMITY: 0.5}
_LACKS_EVERY, _LACKS_FROM = 11, 3

# The last number of a seed names its stream, and is never 0: trailing zeros do not change a numpy seed. 2 belongs to
# assignment.py.
_DEMOGRAPHY = 1


class Lack(str, Enum):
    """What a visit lacks: a tag of its image, or the left eye in its measurement report."""

    DEVICE = "device"
    DATE = "date"
    AGE = "age"
    MEASUREMENT = "measurement"


@dataclass(frozen=True)
class Visit:
    """One study of a patient: one photograph of both eyes, one day.

    Attributes:
        number: 1 for the first visit, 2 for the second.
        age: The patient's age at the visit, in years.
    """

    number: int
    camera: Camera
    station: Station
    time: dt.datetime
    age: int
    lacks: Lack | None


@dataclass(frozen=True)
class Patient:
    """A phantom patient; `number` counts from 1."""

    seed: int
    number: int
    sex: str
    condition: Condition
    visits: tuple[Visit, ...]

    @property
    def patient_id(self) -> str:
        """PatientID."""
        return f"PERIORBITAL-{self.number:06d}"

    def uid(self, visit: Visit, level: str, size: int = 0) -> str:
        """Return the UID of `study`, `series`, `image` and so on: a name-based UUID under 2.25 (PS3.5 B.2).

        An image of another size is another image, and has another UID.
        """
        return name_based_uid(level, self.seed, self.number, visit.number, size, namespace=_NAMESPACE)


def draw_patient(seed: int, number: int) -> Patient:
    """Draw patient `number` (from 1) of the set of this seed."""
    rng = np.random.default_rng((seed, number, _DEMOGRAPHY))
    condition = assign(BLOCK, seed=seed, number=number)
    sex = "F" if rng.random() < _WOMEN[condition] else "M"
    return Patient(seed, number, sex, condition, _draw_visits(rng, number, condition))


def _draw_visits(rng: np.random.Generator, number: int, condition: Condition) -> tuple[Visit, ...]:
    youngest, oldest = _AGES[condition]
    age_in_days = int(rng.integers(youngest * 365, oldest * 365))
    until_second = int(rng.integers(*_SECOND_VISIT_AFTER))
    days_of = (0, until_second) if rng.random() < _SECOND_VISIT_SHARE else (0,)
    first = int(rng.integers((_LAST_DAY - _FIRST_DAY).days + 1 - days_of[-1]))
    lacks = assign_seldom(list(Lack), number=number, every=_LACKS_EVERY, first=_LACKS_FROM)
    visits = []
    for index, days in enumerate(days_of):
        camera = CAMERAS[rng.choice(len(CAMERAS), p=_CAMERA_SHARES)]
        station = camera.stations[rng.integers(len(camera.stations))]
        minutes = int(rng.integers(8 * 60, 17 * 60))
        time = dt.datetime.combine(_FIRST_DAY, dt.time()) + dt.timedelta(days=first + days, minutes=minutes)
        age = (age_in_days + days) // 365
        visits.append(Visit(index + 1, camera, station, time, age, lacks if index == 0 else None))
    return tuple(visits)
