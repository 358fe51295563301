from __future__ import annotations

import io

import numpy as np
import pytest
from dicom_check import faults
from pydicom import dcmread, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, VLPhotographicImageStorage

from monai_unlearn.phantom.periorbital_camera import CAMERAS
from monai_unlearn.phantom.periorbital_patients import Lack, draw_patient
from monai_unlearn.phantom.periorbital_photograph import encode

KIND = "VLPhotographicImage"
PIXELS = np.random.default_rng(0).integers(0, 256, (26, 64, 3), dtype=np.uint8)
VISITS = [(patient, visit) for patient in (draw_patient(5, n) for n in range(1, 60)) for visit in patient.visits]


def first(condition):
    return next(pair for pair in VISITS if condition(pair[1]))


def lacking(lack):
    return encode(*first(lambda visit: visit.lacks is lack), PIXELS)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.model)
def test_dciodvfy_finds_nothing(tmp_path, camera):
    ds = encode(*first(lambda visit: visit.camera is camera and visit.lacks is None), PIXELS)
    assert faults(ds, tmp_path / "image.dcm", kind=KIND) == {"Error": [], "Warning": []}
    assert (ds.Manufacturer, ds.ManufacturerModelName) == (camera.manufacturer, camera.model)


@pytest.mark.parametrize("lack", Lack)
def test_dciodvfy_finds_no_error_where_something_is_lacking(tmp_path, lack):
    found = faults(lacking(lack), tmp_path / "image.dcm", kind=KIND)
    assert found["Error"] == []
    # An image without StudyDate cannot enter a DICOMDIR.
    expected = ("Study Date", "Study Time") if lack is Lack.DATE else ()
    assert len(found["Warning"]) == len(expected)
    assert all(word in warning for word, warning in zip(expected, found["Warning"], strict=True))


def test_dciodvfy_would_find_a_missing_attribute(tmp_path):
    ds = encode(*VISITS[0], PIXELS)
    del ds.AcquisitionContextSequence
    assert any("AcquisitionContextSequence" in error for error in faults(ds, tmp_path / "a.dcm", kind=KIND)["Error"])


def test_it_is_an_explicit_little_endian_colour_photograph_of_both_eyes():
    ds = encode(*VISITS[0], PIXELS)
    assert ds.SOPClassUID == ds.file_meta.MediaStorageSOPClassUID == VLPhotographicImageStorage
    assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (ds.Modality, ds.ImageLaterality) == ("XC", "B")
    assert (ds.pixel_array == PIXELS).all()


def test_an_odd_number_of_pixels_is_padded(tmp_path):
    odd = PIXELS[:25, :63]
    dcmwrite(tmp_path / "odd.dcm", encode(*VISITS[0], odd), enforce_file_format=True)
    read = dcmread(tmp_path / "odd.dcm")
    assert len(read.PixelData) % 2 == 0
    assert (read.pixel_array == odd).all()


def test_what_is_lacking_is_not_there():
    assert "ManufacturerModelName" not in lacking(Lack.DEVICE)
    assert "PatientAge" not in lacking(Lack.AGE)
    copy = lacking(Lack.DATE)
    assert not any(copy.get(keyword) for keyword in ("AcquisitionDate", "AcquisitionDateTime", "StudyDate"))
    assert copy.ImageType[0] == "DERIVED"


def test_dates_and_age_agree():
    patient, visit = first(lambda visit: visit.lacks is None)
    ds = encode(patient, visit, PIXELS)
    assert ds.StudyDate == ds.AcquisitionDate == ds.ContentDate == f"{visit.time:%Y%m%d}"
    assert ds.AcquisitionDateTime == ds.AcquisitionDate + ds.AcquisitionTime
    assert ds.PatientAge == f"{visit.age:03d}Y"


def test_visits_of_a_patient_are_studies_of_their_own():
    patient, visit = first(lambda visit: visit.number == 2)
    one, two = (encode(patient, each, PIXELS) for each in (patient.visits[0], visit))
    assert one.PatientID == two.PatientID
    assert one.StudyInstanceUID != two.StudyInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID


def test_encoding_twice_gives_the_same_bytes():
    streams = [io.BytesIO(), io.BytesIO()]
    for stream in streams:
        dcmwrite(stream, encode(*VISITS[0], PIXELS), enforce_file_format=True)
    assert streams[0].getvalue() == streams[1].getvalue()
    assert b"PYDICOM" not in streams[0].getvalue()
