from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from dicom_check import faults
from pydicom import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from monai_unlearn.phantom.mri_image import MriSlice, encode_slice
from monai_unlearn.phantom.mri_patients import draw_mri_patient
from monai_unlearn.phantom.mri_scanners import MR750, SCANNERS
from monai_unlearn.phantom.patients import Lack

KIND = "MRImage"
NONE: dict[str, list[str]] = {"Error": [], "Warning": []}
PIXELS = np.random.default_rng(0).integers(0, 4096, (64, 64)).astype(np.uint16)
# Patients whose first visit lacks a tag.
LACKING = {Lack.DEVICE: 3, Lack.DATE: 17, Lack.AGE: 31}


def shown(number=1, *, scanner=None, seed=5, place=2):
    patient = draw_mri_patient(seed, number)
    visit = patient.visits[0]
    if scanner:
        visit = replace(visit, scanner=scanner, station=scanner.stations[0])
    return MriSlice(seed=seed, patient=patient, visit=visit, number=place, level=12.5)


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.model)
def test_dciodvfy_finds_nothing(tmp_path, scanner):
    assert faults(encode_slice(shown(scanner=scanner), PIXELS), tmp_path / "image.dcm", kind=KIND) == {
        "Error": [],
        "Warning": [],
    }


@pytest.mark.parametrize("lack", Lack)
def test_dciodvfy_finds_no_error_where_a_tag_is_lacking(tmp_path, lack):
    found = faults(encode_slice(shown(LACKING[lack]), PIXELS), tmp_path / "image.dcm", kind=KIND)
    assert found["Error"] == []
    # An image without StudyDate cannot enter a DICOMDIR.
    expected = ("Study Date", "Study Time") if lack is Lack.DATE else ()
    assert len(found["Warning"]) == len(expected)
    assert all(word in warning for word, warning in zip(expected, found["Warning"], strict=True))


def test_dciodvfy_would_find_a_missing_attribute(tmp_path):
    ds = encode_slice(shown(), PIXELS)
    del ds.ScanningSequence
    found = faults(ds, tmp_path / "image.dcm", kind=KIND)
    assert any("ScanningSequence" in error for error in found["Error"])


def test_it_is_an_explicit_little_endian_mr_image():
    ds = encode_slice(shown(), PIXELS)
    assert ds.SOPClassUID == MRImageStorage
    assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert ds.Modality == "MR"
    assert (ds.pixel_array == PIXELS).all()


def test_the_scanner_is_named():
    ds = encode_slice(shown(scanner=MR750), PIXELS)
    assert (ds.Manufacturer, ds.ManufacturerModelName) == ("GE MEDICAL SYSTEMS", "DISCOVERY MR750")
    assert (ds.MagneticFieldStrength, ds.StationName) == (3.0, "MR750-01")


def test_what_a_visit_lacks_is_not_there():
    assert "ManufacturerModelName" not in encode_slice(shown(LACKING[Lack.DEVICE]), PIXELS)
    undated = encode_slice(shown(LACKING[Lack.DATE]), PIXELS)
    assert not any(undated.get(keyword) for keyword in ("AcquisitionDate", "StudyDate", "SeriesDate"))
    assert undated.ImageType[0] == "DERIVED"
    ageless = encode_slice(shown(LACKING[Lack.AGE]), PIXELS)
    assert "PatientAge" not in ageless
    assert ageless.PatientBirthDate == ""


def test_slices_lie_in_one_frame_of_reference():
    slices = [encode_slice(shown(place=place), PIXELS) for place in (1, 2)]
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert slices[0][keyword] == slices[1][keyword]
    assert slices[0].SOPInstanceUID != slices[1].SOPInstanceUID
    assert [float(value) for value in slices[0].ImagePositionPatient] == pytest.approx([-108.28125, -108.28125, 12.5])
    assert float(slices[0].PixelSpacing[0]) == pytest.approx(220 / 64)


def test_uids_are_valid_and_depend_on_seed_patient_slice_and_size():
    uids = [
        shown(number, seed=seed, place=place).uid("image", size)
        for number in (1, 2)
        for seed in (0, 1)
        for place in (1, 2)
        for size in (64, 65)
    ]
    uids += [shown().uid(kind) for kind in ("study", "series", "frame")]
    assert len(set(uids)) == len(uids)
    assert all(UID(uid).is_valid for uid in uids)


def test_encoding_twice_gives_the_same_bytes():
    streams = [io.BytesIO(), io.BytesIO()]
    for stream in streams:
        dcmwrite(stream, encode_slice(shown(), PIXELS), enforce_file_format=True)
    assert streams[0].getvalue() == streams[1].getvalue()
    assert b"PYDICOM" not in streams[0].getvalue()
