from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from dicom_check import faults
from pydicom import dcmwrite

from monai_unlearn.errors import InputError
from monai_unlearn.index.measures import dicom_sr
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.phantom.periorbital_face import draw_face
from monai_unlearn.phantom.periorbital_patients import Lack, draw_patient
from monai_unlearn.phantom.periorbital_photograph import encode
from monai_unlearn.phantom.periorbital_report import report, require_highdicom
from monai_unlearn.phantom.periorbital_statistics import Condition

PIXELS = np.zeros((26, 64, 3), np.uint8)
FACE = draw_face(np.random.default_rng(1), Condition.HEALTHY)


def made(lack=None):
    """Return a visit's photograph and its report."""
    patients = (draw_patient(5, number) for number in range(1, 60))
    patient, visit = next((p, p.visits[0]) for p in patients if p.visits[0].lacks is lack)
    photograph = encode(patient, visit, PIXELS)
    return photograph, report(patient, visit, photograph, FACE.measurements())


def readings(document, path):
    dcmwrite(path, document, enforce_file_format=True)
    (found,) = dicom_sr.settle([dicom_sr.read(path)], MaskLabels())
    return found


def test_the_index_reads_what_was_measured_of_which_image(tmp_path):
    photograph, document = made()
    found = readings(document, tmp_path / "report.dcm")
    numbers = {reading.measures[0].name: reading.measures[0] for reading in found}
    assert set(numbers) == set(FACE.measurements())
    for name, (value, unit) in FACE.measurements().items():
        assert numbers[name].value == pytest.approx(value, abs=0.0051)
        assert numbers[name].unit == unit
    assert {reading.target.images for reading in found} == {frozenset([photograph.SOPInstanceUID])}


def test_a_report_may_lack_the_left_eye(tmp_path):
    found = readings(made(Lack.MEASUREMENT)[1], tmp_path / "report.dcm")
    names = {reading.measures[0].name for reading in found}
    assert "r_vpf" in names
    assert "icd" in names
    assert not any(name.startswith("l_") for name in names)


@pytest.mark.parametrize("lack", [None, *Lack])
def test_dciodvfy_finds_no_error(tmp_path, lack):
    found = faults(made(lack)[1], tmp_path / "report.dcm", kind="ComprehensiveSR")
    assert found["Error"] == []
    # Concepts of our own have a coding scheme of our own.
    assert all("99MUNLEARN" in warning or "DICOMDIR" in warning for warning in found["Warning"])


def test_it_belongs_to_the_study_of_the_photograph():
    photograph, document = made()
    assert document.StudyInstanceUID == photograph.StudyInstanceUID
    assert document.SeriesInstanceUID != photograph.SeriesInstanceUID
    assert (document.PatientID, document.PatientSex) == (photograph.PatientID, photograph.PatientSex)


def test_it_says_no_more_of_the_device_than_the_photograph_does():
    assert "ContributingEquipmentSequence" not in made(Lack.DEVICE)[1]


def test_making_it_twice_gives_the_same_bytes():
    streams = [io.BytesIO(), io.BytesIO()]
    for stream in streams:
        dcmwrite(stream, made()[1], enforce_file_format=True)
    assert streams[0].getvalue() == streams[1].getvalue()


def test_without_highdicom_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(InputError, match=r"pip install 'monai-unlearn\[pacs\]', or leave the reports out"):
        require_highdicom()
