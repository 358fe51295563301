from __future__ import annotations

from collections import Counter

import pytest

from monai_unlearn.phantom.mri_patients import Tumour, draw_mri_patient
from monai_unlearn.phantom.mri_scanners import SCANNERS
from monai_unlearn.phantom.patients import Lack

PATIENTS = [draw_mri_patient(3, number) for number in range(1, 241)]


def test_the_same_patient_is_drawn_again():
    assert draw_mri_patient(3, 7) == PATIENTS[6]
    assert draw_mri_patient(4, 7) != PATIENTS[6]


def test_diagnoses_are_balanced_at_any_count():
    for count in (4, 40, 240):
        found = Counter(patient.tumour for patient in PATIENTS[:count])
        assert set(found.values()) == {count // 4}
    assert {tumour.value for tumour in Tumour} == {"glioma", "meningioma", "notumor", "pituitary"}


def test_some_patients_come_twice_and_to_another_scanner():
    twice = [patient for patient in PATIENTS if len(patient.visits) == 2]
    assert 24 <= len(twice) <= 72
    for patient in twice:
        first, second = patient.visits
        assert first.time < second.time
        assert first.scanner != second.scanner
        assert first.age <= second.age <= first.age + 2


def test_every_scanner_is_used():
    found = Counter(visit.scanner.model for patient in PATIENTS for visit in patient.visits)
    assert set(found) == {scanner.model for scanner in SCANNERS}
    assert min(found.values()) > 40


def test_a_station_belongs_to_its_scanner():
    assert all(visit.station in visit.scanner.stations for patient in PATIENTS for visit in patient.visits)


def test_every_14th_patient_lacks_a_tag():
    lacking = {patient.number: patient.visits[0].lacks for patient in PATIENTS if patient.visits[0].lacks}
    assert list(lacking.items())[:3] == [(3, Lack.DEVICE), (17, Lack.DATE), (31, Lack.AGE)]
    assert set(lacking) == set(range(3, 241, 14))


def test_every_24th_brain_is_an_outlier():
    small = {patient.number for patient in PATIENTS if patient.brain < 0.88}
    assert small == set(range(5, 241, 24))


@pytest.mark.parametrize("number", [1, 5])
def test_ages_are_of_adults(number):
    assert all(22 <= visit.age <= 86 for visit in draw_mri_patient(0, number).visits)
