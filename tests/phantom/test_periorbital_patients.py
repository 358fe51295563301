from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from pydicom.uid import UID

from monai_unlearn.phantom.periorbital_patients import BLOCK, Lack, draw_patient
from monai_unlearn.phantom.periorbital_statistics import Condition

PATIENTS = [draw_patient(2, number) for number in range(1, 201)]
VISITS = [visit for patient in PATIENTS for visit in patient.visits]


def test_ten_in_a_row_have_the_shares_of_the_conditions():
    for first in range(0, 200, 10):
        assert Counter(patient.condition for patient in PATIENTS[first : first + 10]) == Counter(BLOCK)
    assert Counter(BLOCK) == dict(zip(Condition, (5, 3, 2), strict=True))


def test_some_patients_come_twice_after_months():
    twice = [patient.visits for patient in PATIENTS if len(patient.visits) == 2]
    assert 0.15 < len(twice) / len(PATIENTS) < 0.35
    for first, second in twice:
        assert 60 <= (second.time.date() - first.time.date()).days < 500
        assert second.age in {first.age, first.age + 1, first.age + 2}


def test_every_camera_takes_images_at_its_own_stations():
    shares = Counter(visit.camera.model for visit in VISITS)
    assert set(shares) == {"EOS 6D", "D7500", "iPad Pro"}
    assert min(shares.values()) > 0.15 * len(VISITS)
    assert all(visit.station in visit.camera.stations for visit in VISITS)


def test_dates_lie_in_four_years():
    assert all(dt.date(2016, 1, 1) <= visit.time.date() <= dt.date(2019, 12, 31) for visit in VISITS)


def test_age_and_sex_go_with_the_condition():
    women = {condition: [p.sex == "F" for p in PATIENTS if p.condition is condition] for condition in Condition}
    assert sum(women[Condition.THYROID_EYE_DISEASE]) / 60 > 0.65
    ages = [patient.visits[0].age for patient in PATIENTS if patient.condition is Condition.CRANIOFACIAL_DEFORMITY]
    assert 16 <= min(ages) <= max(ages) < 45


def test_every_kind_of_lack_occurs_and_only_at_first_visits():
    lacking = Counter(visit.lacks for visit in VISITS if visit.lacks)
    assert set(lacking) == set(Lack)
    assert max(lacking.values()) - min(lacking.values()) <= 1
    assert all(visit.number == 1 for visit in VISITS if visit.lacks)


def test_patients_depend_on_seed_and_number_alone():
    assert draw_patient(2, 7) == PATIENTS[6]
    assert draw_patient(3, 7) != PATIENTS[6]


@pytest.mark.parametrize("level", ["study", "series", "image", "report"])
def test_uids_are_valid_and_differ(level):
    uids = [
        patient.uid(visit, level, size) for patient in PATIENTS[:20] for visit in patient.visits for size in (64, 65)
    ]
    assert len(set(uids)) == len(uids)
    assert all(UID(uid).is_valid for uid in uids)
