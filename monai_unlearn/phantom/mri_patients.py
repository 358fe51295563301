"""Who the phantom patients of the MR studies are: diagnoses, visits, scanners and dates, one patient at a time.

Each patient has their own random stream, so that a larger set begins with the same patients.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.phantom.assignment import assign, assign_seldom
from monai_unlearn.phantom.mri_scanners import ACHIEVA, MR750, SKYRA, Scanner
from monai_unlearn.phantom.patients import Lack

if TYPE_CHECKING:
    from monai_unlearn.phantom.devices import Station

_FIRST_DAY = dt.date(2014, 1, 1)
_LAST_DAY = dt.date(2020, 12, 31)
_SHARES = (0.26, 0.37, 0.37)  # of the first visits, by scanner
_SECOND_VISIT_SHARE = 0.2
_SECOND_VISIT_AFTER = (80, 400)  # days
_AGES = (22, 84)

# Every 14th patient has one visit that lacks a tag, starting with the third.
_LACKS_EVERY, _LACKS_FROM = 14, 3
# Every 24th patient has a much smaller brain than others, starting with the fifth: an anatomical outlier.
_SMALL_EVERY, _SMALL_FROM = 24, 5
_SMALL = 0.80

# The last number of a seed names its stream, and is never 0: trailing zeros do not change a numpy seed. 2 belongs to
# assignment.py.
_DEMOGRAPHY = 1


class Tumour(str, Enum):
    """What a head has."""

    GLIOMA = "glioma"
    MENINGIOMA = "meningioma"
    NONE = "notumor"
    PITUITARY = "pituitary"


@dataclass(frozen=True, kw_only=True)
class MriVisit:
    """One study of a patient: one series, one scanner, one day.

    Attributes:
        number: 1 for the first visit, 2 for the second.
        age: The patient's age at the visit, in years.
        growth: Factor on the radius of the tumour since it was found.
        lacks: The tag that every image of the visit lacks.
    """

    number: int
    scanner: Scanner
    station: Station
    time: dt.datetime
    age: int
    growth: float
    lacks: Lack | None


@dataclass(frozen=True, kw_only=True)
class MriPatient:
    """A phantom patient; `number` counts from 1.

    Attributes:
        brain: Factor on the length of the brain's axes; 1 is the average.
    """

    number: int
    sex: str
    tumour: Tumour
    brain: float
    visits: tuple[MriVisit, ...]

    @property
    def patient_id(self) -> str:
        """PatientID."""
        return f"PHANTOM-{self.number:06d}"


def draw_mri_patient(seed: int, number: int) -> MriPatient:
    """Draw patient `number` (from 1) of the set of this seed."""
    rng = np.random.default_rng((seed, number, _DEMOGRAPHY))
    sex = "FM"[rng.integers(2)]
    small = number % _SMALL_EVERY == _SMALL_FROM
    brain = rng.normal(0.98 if sex == "F" else 1.02, 0.015) * (_SMALL if small else 1.0)
    tumour = assign(list(Tumour), seed=seed, number=number)
    return MriPatient(number=number, sex=sex, tumour=tumour, brain=float(brain), visits=_draw_visits(rng, number))


def _draw_visits(rng: np.random.Generator, number: int) -> tuple[MriVisit, ...]:
    first = int(rng.choice(3, p=_SHARES))
    scanners = [(ACHIEVA, MR750, SKYRA)[place % 3] for place in (first, first + int(rng.integers(1, 3)))]
    count = 2 if rng.random() < _SECOND_VISIT_SHARE else 1
    until_second = int(rng.integers(*_SECOND_VISIT_AFTER))
    days = int(rng.integers((_LAST_DAY - _FIRST_DAY).days + 1 - until_second))
    born = int(rng.integers(_AGES[0] * 365, _AGES[1] * 365))
    lacks = assign_seldom(list(Lack), number=number, every=_LACKS_EVERY, first=_LACKS_FROM)
    visits = []
    for index, after in enumerate((0, until_second)[:count]):
        scanner = scanners[index]
        minutes = int(rng.integers(8 * 60, 17 * 60))
        visits.append(
            MriVisit(
                number=index + 1,
                scanner=scanner,
                station=scanner.stations[rng.integers(len(scanner.stations))],
                time=dt.datetime.combine(_FIRST_DAY, dt.time()) + dt.timedelta(days=days + after, minutes=minutes),
                age=(born + after) // 365,
                growth=1.0 if index == 0 else float(rng.uniform(0.95, 1.25)),
                lacks=lacks if index == 0 else None,
            )
        )
    return tuple(visits)
