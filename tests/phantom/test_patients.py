from __future__ import annotations

from collections import Counter

import pytest

from monai_unlearn.phantom.devices import CIRRUS
from monai_unlearn.phantom.patients import Diagnosis, Lack, draw_patient


@pytest.fixture(scope="module")
def many():
    return [draw_patient(11, number) for number in range(1, 601)]


def visits_of(patients):
    return [visit for patient in patients for visit in patient.visits]


def test_a_patient_depends_on_seed_and_number_only():
    assert draw_patient(3, 7) == draw_patient(3, 7)
    assert draw_patient(3, 7) != draw_patient(4, 7)


def test_patient_ids_count_from_one(many):
    assert many[0].patient_id == "PHANTOM-000001"
    assert len({patient.patient_id for patient in many}) == len(many)


def test_diagnoses_are_balanced_and_eyes_usually_share_theirs(many):
    counts = Counter(diagnosis for patient in many for diagnosis in patient.diagnoses.values())
    assert all(360 < counts[diagnosis] < 440 for diagnosis in Diagnosis)
    same = sum(patient.diagnoses["R"] is patient.diagnoses["L"] for patient in many) / len(many)
    assert 0.85 < same < 0.95


def test_even_three_patients_have_all_diagnoses():
    for seed in range(5):
        assert {draw_patient(seed, number).diagnoses["R"] for number in (1, 2, 3)} == set(Diagnosis)


def test_about_45_percent_are_photographed_with_the_cirrus(many):
    share = sum(visit.device is CIRRUS for visit in visits_of(many)) / len(visits_of(many))
    assert 0.40 < share < 0.50


def test_visits_lie_in_the_years_2015_to_2018(many):
    assert {visit.time.year for visit in visits_of(many)} == {2015, 2016, 2017, 2018}


def test_a_second_visit_is_later_and_with_the_other_device(many):
    pairs = [patient.visits for patient in many if len(patient.visits) > 1]
    assert 0.10 < len(pairs) / len(many) < 0.20
    assert all(first.time < second.time and first.device is not second.device for first, second in pairs)
    assert all(0 <= second.age - first.age <= 2 for first, second in pairs)


def test_stations_belong_to_their_device(many):
    assert all(visit.station in visit.device.stations for visit in visits_of(many))


def test_glaucoma_comes_at_a_higher_age(many):
    ages = {diagnosis: [] for diagnosis in Diagnosis}
    for patient in many:
        ages[patient.diagnoses["R"]].append(patient.visits[0].age)
    assert min(ages[Diagnosis.GLAUCOMA]) >= 45
    assert min(ages[Diagnosis.NORMAL]) < 40
    assert max(map(max, ages.values())) <= 88


def test_about_three_percent_of_images_lack_a_tag_in_turn(many):
    lacks = [lack for visit in visits_of(many) for lack in visit.lacks.values()]
    assert 0.02 < len(lacks) / (2 * len(visits_of(many))) < 0.04
    assert lacks[:4] == [Lack.DEVICE, Lack.DATE, Lack.AGE, Lack.DEVICE]


@pytest.mark.parametrize("seed", range(4))
def test_something_is_undetermined_from_three_patients_on(seed):
    lacks = [visit.lacks for visit in visits_of([draw_patient(seed, number) for number in (1, 2, 3)])]
    assert [lack for each in lacks for lack in each.values()] == [Lack.DEVICE]
