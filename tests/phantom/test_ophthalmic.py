from __future__ import annotations

import io

import numpy as np
import pytest
from dicom_check import faults
from pydicom import dcmread, dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, OphthalmicPhotography8BitImageStorage

from monai_unlearn.phantom.devices import CIRRUS, DEVICES, SPECTRALIS
from monai_unlearn.phantom.ophthalmic import encode
from monai_unlearn.phantom.patients import Lack

# Patients whose one image lacks a tag.
LACKING = {Lack.DEVICE: 3, Lack.DATE: 17, Lack.AGE: 31}
KIND = "OphthalmicPhotography8BitImage"
PIXELS = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def lacking(photograph, lack):
    for laterality in "RL":
        item = photograph(LACKING[lack], laterality=laterality)
        if item.lacks is lack:
            return item
    pytest.fail(f"no image lacks its {lack.value}")


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.model)
@pytest.mark.parametrize("laterality", ["R", "L"])
def test_dciodvfy_finds_nothing(photograph, tmp_path, device, laterality):
    ds = encode(photograph(1, device=device, laterality=laterality), PIXELS)
    assert faults(ds, tmp_path / "image.dcm", kind=KIND) == {"Error": [], "Warning": []}


@pytest.mark.parametrize("lack", Lack)
def test_dciodvfy_finds_no_error_where_a_tag_is_lacking(photograph, tmp_path, lack):
    found = faults(encode(lacking(photograph, lack), PIXELS), tmp_path / "image.dcm", kind=KIND)
    assert found["Error"] == []
    # An image without StudyDate cannot enter a DICOMDIR; and COPY is a word of ours.
    expected = ("Study Date", "Study Time", "<COPY>") if lack is Lack.DATE else ()
    assert len(found["Warning"]) == len(expected)
    assert all(word in warning for word, warning in zip(expected, found["Warning"], strict=True))


def test_dciodvfy_would_find_a_missing_attribute(photograph, tmp_path):
    ds = encode(photograph(1), PIXELS)
    del ds.ImageLaterality
    found = faults(ds, tmp_path / "image.dcm", kind=KIND)
    assert any("ImageLaterality" in error for error in found["Error"])


def test_it_is_an_explicit_little_endian_colour_photograph(photograph):
    ds = encode(photograph(1), PIXELS)
    assert ds.SOPClassUID == OphthalmicPhotography8BitImageStorage
    assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert ds.Modality == "OP"
    assert (ds.pixel_array == PIXELS).all()


def test_an_odd_number_of_pixels_is_padded(photograph, tmp_path):
    odd = PIXELS[:63, :63]
    dcmwrite(tmp_path / "odd.dcm", encode(photograph(1), odd), enforce_file_format=True)
    read = dcmread(tmp_path / "odd.dcm")
    assert len(read.PixelData) % 2 == 0
    assert (read.pixel_array == odd).all()


def test_the_device_is_named(photograph):
    ds = encode(photograph(1, device=CIRRUS), PIXELS)
    assert (ds.Manufacturer, ds.ManufacturerModelName) == ("Carl Zeiss Meditec", "Cirrus 800 FA")
    ds = encode(photograph(1, device=SPECTRALIS), PIXELS)
    assert (ds.Manufacturer, ds.ManufacturerModelName) == ("Heidelberg Engineering", "Spectralis")
    assert ds.StationName.startswith("SPECTRALIS")


def test_an_image_that_lacks_its_device_still_names_the_manufacturer(photograph):
    ds = encode(lacking(photograph, Lack.DEVICE), PIXELS)
    assert "ManufacturerModelName" not in ds
    assert ds.Manufacturer


def test_an_image_that_lacks_its_date_has_none_of_the_three(photograph):
    ds = encode(lacking(photograph, Lack.DATE), PIXELS)
    assert not any(ds.get(keyword) for keyword in ("AcquisitionDate", "AcquisitionDateTime", "StudyDate"))
    assert ds.ImageType[0] == "DERIVED"
    assert ds.ContentDate.startswith("2019")


def test_an_image_that_lacks_its_age_gives_no_birth_date_either(photograph):
    ds = encode(lacking(photograph, Lack.AGE), PIXELS)
    assert "PatientAge" not in ds
    assert ds.PatientBirthDate == ""


def test_dates_agree(photograph):
    ds = encode(photograph(1), PIXELS)
    assert ds.AcquisitionDateTime == ds.AcquisitionDate + ds.AcquisitionTime
    assert ds.StudyDate == ds.AcquisitionDate == ds.ContentDate
    assert ds.PatientAge.endswith("Y")


def test_the_eyes_of_a_visit_share_study_and_series(photograph):
    right, left = (encode(photograph(1, laterality=laterality), PIXELS) for laterality in "RL")
    assert right.StudyInstanceUID == left.StudyInstanceUID
    assert right.SeriesInstanceUID == left.SeriesInstanceUID
    assert right.SOPInstanceUID != left.SOPInstanceUID
    assert (right.ImageLaterality, left.ImageLaterality) == ("R", "L")


def test_uids_are_valid_and_depend_on_seed_patient_and_size(photograph):
    uids = [
        photograph(number, seed=seed).uid("image", size) for number in (1, 2) for seed in (0, 1) for size in (64, 65)
    ]
    uids += [photograph(1).uid(level) for level in ("study", "series")]
    assert len(set(uids)) == len(uids)
    assert all(UID(uid).is_valid for uid in uids)


def test_pixel_spacing_spans_the_field_of_view(photograph):
    ds = encode(photograph(1, device=SPECTRALIS), PIXELS)
    # A field of 45 degrees is about 13 mm across on the retina.
    assert float(ds.PixelSpacing[0]) * 64 * 0.94 == pytest.approx(13.1, abs=0.1)
    assert ds.HorizontalFieldOfView == 45.0


def test_encoding_twice_gives_the_same_bytes(photograph):
    streams = [io.BytesIO(), io.BytesIO()]
    for stream in streams:
        dcmwrite(stream, encode(photograph(1), PIXELS), enforce_file_format=True)
    assert streams[0].getvalue() == streams[1].getvalue()
    assert b"PYDICOM" not in streams[0].getvalue()
