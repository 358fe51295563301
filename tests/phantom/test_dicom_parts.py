from __future__ import annotations

import datetime as dt
import io
import uuid
from types import SimpleNamespace

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, VLPhotographicImageStorage

from monai_unlearn.phantom.devices import Station
from monai_unlearn.phantom.dicom_parts import (
    NAMESPACE,
    code,
    file_meta,
    name_based_uid,
    new_file,
    set_colour_pixels,
    set_equipment,
    set_moment,
    set_patient,
    set_undated_copy,
)
from monai_unlearn.phantom.icc import srgb_profile

MODEL = SimpleNamespace(manufacturer="Maker", model="Model 1")
PATIENT = SimpleNamespace(number=7, patient_id="P-7", sex="F")
STATION = Station("ROOM-1", "Clinic", "123", "4.5")
TIME = dt.datetime(2017, 3, 4, 5, 6, 7)  # noqa: DTZ001 - DICOM times are local


def values(ds):
    return {element.keyword: element.value for element in ds}


def test_uids_are_valid_and_depend_on_names_and_namespace():
    uids = [
        name_based_uid(*names, namespace=namespace)
        for names in (("a", 1), ("a", 2), ("b", 1))
        for namespace in (NAMESPACE, uuid.NAMESPACE_DNS)
    ]
    assert len(set(uids)) == len(uids)
    assert all(UID(uid).is_valid for uid in uids)
    assert uids[0] == name_based_uid("a", 1)


def test_a_uid_stays_what_it_was():
    assert name_based_uid("fundus", "study", 0, 1, 1) == f"2.25.{uuid.uuid5(NAMESPACE, 'fundus/study/0/1/1').int}"
    assert str(NAMESPACE) == str(uuid.uuid5(uuid.NAMESPACE_DNS, "phantom.monai-unlearn"))


def test_a_new_file_says_what_it_is_in_both_places():
    ds = new_file(MRImageStorage, "2.25.1")
    assert values(ds) == {"SOPClassUID": MRImageStorage, "SOPInstanceUID": "2.25.1"}
    assert ds.file_meta.MediaStorageSOPClassUID == MRImageStorage
    assert ds.file_meta.MediaStorageSOPInstanceUID == "2.25.1"
    assert ds.preamble == bytes(128)


def test_the_writer_is_ours_and_not_pydicom():
    meta = file_meta(MRImageStorage, "2.25.1")
    assert meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert meta.ImplementationVersionName == "MONAI_UNLEARN"
    stream = io.BytesIO()
    dcmwrite(stream, new_file(MRImageStorage, "2.25.1"), enforce_file_format=True)
    assert b"PYDICOM" not in stream.getvalue()


@pytest.mark.parametrize(("age", "expected"), [(42, {"PatientAge": "042Y"}), (None, {})], ids=["age", "no age"])
def test_the_patient(age, expected):
    ds = Dataset()
    set_patient(ds, PATIENT, family_name="Phantom", age=age)
    known = {"PatientName": "Phantom^000007", "PatientID": "P-7", "PatientBirthDate": "", "PatientSex": "F"}
    assert values(ds) == {**known, **expected}


@pytest.mark.parametrize("named", [True, False])
def test_the_equipment(named):
    ds = Dataset()
    set_equipment(ds, MODEL, STATION, named=named)
    assert values(ds) == {
        "Manufacturer": "Maker",
        "InstitutionName": "Clinic",
        "StationName": "ROOM-1",
        "DeviceSerialNumber": "123",
        "SoftwareVersions": "4.5",
        **({"ManufacturerModelName": "Model 1"} if named else {}),
    }


def test_a_moment_is_a_date_and_a_time():
    ds = Dataset()
    set_moment(ds, TIME, "Study", "Content")
    assert values(ds) == {
        "StudyDate": "20170304",
        "StudyTime": "050607",
        "ContentDate": "20170304",
        "ContentTime": "050607",
    }
    set_moment(ds, TIME + dt.timedelta(days=1))
    assert ds.StudyDate == "20170304"


def test_an_undated_copy_says_when_it_was_made_and_of_what():
    ds = new_file(VLPhotographicImageStorage, "2.25.1")
    set_undated_copy(ds, original="2.25.2", made=TIME)
    assert (ds.StudyDate, ds.StudyTime) == ("", "")
    assert (ds.ContentDate, ds.ContentTime) == ("20170304", "050607")
    assert ds.DerivationDescription == "Copy without its dates of acquisition"
    (source,) = ds.SourceImageSequence
    assert (source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID) == (VLPhotographicImageStorage, "2.25.2")
    (purpose,) = source.PurposeOfReferenceCodeSequence
    assert (purpose.CodeValue, purpose.CodingSchemeDesignator) == ("121322", "DCM")


@pytest.mark.parametrize("shape", [(4, 6, 3), (3, 5, 3)], ids=["even", "odd"])
def test_colour_pixels_are_read_as_they_were(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    ds = new_file(VLPhotographicImageStorage, "2.25.1")
    set_colour_pixels(ds, pixels)
    stream = io.BytesIO()
    dcmwrite(stream, ds, enforce_file_format=True)
    stream.seek(0)
    read = dcmread(stream)
    assert (read.pixel_array == pixels).all()
    assert len(ds.PixelData) % 2 == 0
    assert (read.Rows, read.Columns, read.PhotometricInterpretation) == (*shape[:2], "RGB")
    assert read.ICCProfile == srgb_profile()


def test_a_code_is_an_item_of_three():
    assert values(code("1", "SCT", "One")) == {
        "CodeValue": "1",
        "CodingSchemeDesignator": "SCT",
        "CodeMeaning": "One",
    }
