"""The studies of a pull, and fingerprints that change when they do."""

from __future__ import annotations

import re

import pytest
from dicom_json import item

from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.sources.study_list import studies_of

ONE = {"StudyInstanceUID": "1.2.1", "PatientID": "P1", "StudyDate": "20180605", "NumberOfStudyRelatedInstances": 2}


def only(*studies, pseudonyms=None):
    (found,) = studies_of([item(**study) for study in studies], pseudonyms).values()
    return found


def test_a_study():
    found = only(ONE)
    assert (found.key, found.uid, found.instances) == ("1.2.1", "1.2.1", 2)
    assert only({**ONE, "PatientName": {"Alphabetic": "Doe"}}).fingerprint == found.fingerprint
    assert "P1" not in found.fingerprint


@pytest.mark.parametrize(
    "change", [{"PatientID": "P2"}, {"NumberOfStudyRelatedInstances": 3}, {"StudyDate": None}, {"AccessionNumber": "7"}]
)
def test_a_change_is_another_fingerprint(change):
    assert only({**ONE, **change}).fingerprint != only(ONE).fingerprint


def test_two_patients_halves_are_one_study():
    other = {**ONE, "PatientID": "P2", "NumberOfStudyRelatedInstances": 3}
    assert only(ONE, other) == only(other, ONE)
    assert only(ONE, other).instances == 5
    unknown = {name: value for name, value in other.items() if name != "NumberOfStudyRelatedInstances"}
    assert only(ONE, unknown).instances is None


def test_pseudonyms_stand_for_studies():
    names = Pseudonyms(b"k" * 32)
    found = only(ONE, pseudonyms=names)
    assert found.key == names.of("study", "1.2.1")
    assert found.fingerprint != only(ONE).fingerprint


@pytest.mark.parametrize("uid", ["../etc", "1.2/3", "", "1.2.DOE", "\u0661.\u0662", None])
@pytest.mark.parametrize("pseudonyms", [None, Pseudonyms(b"k" * 32)])
def test_a_text_that_is_no_uid_stands_nowhere(uid, pseudonyms):
    found = only({**ONE, "StudyInstanceUID": uid}, pseudonyms=pseudonyms)
    assert not found.is_valid
    assert re.fullmatch(r"no-uid-[0-9a-f]{24}", found.key)
    assert found == only({**ONE, "StudyInstanceUID": uid}, pseudonyms=pseudonyms)
    assert only(ONE, pseudonyms=pseudonyms).is_valid
