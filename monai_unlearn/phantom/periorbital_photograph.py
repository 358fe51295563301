"""One phantom photograph of both eyes as a VL Photographic Image (DICOM PS3.3 A.32.4)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, VLPhotographicImageStorage

from monai_unlearn.phantom.icc import srgb_profile
from monai_unlearn.phantom.periorbital_patients import Lack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from monai_unlearn.phantom.periorbital_patients import Patient, Visit

# Our own, since pydicom's would change the bytes with its version.
IMPLEMENTATION_CLASS = UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_DNS, 'phantom.monai-unlearn').int}")
IMPLEMENTATION_VERSION = "MONAI_UNLEARN"

# When the copies that have lost their date of acquisition were made: after every visit.
COPIED = dt.datetime(2020, 1, 15, 9, 0)  # noqa: DTZ001 - DICOM times are local


def encode(patient: Patient, visit: Visit, pixels: npt.NDArray[np.uint8]) -> FileDataset:
    """Return the photograph of a visit as a DICOM file.

    Args:
        patient: Whom it shows.
        visit: When and with what it was taken.
        pixels: RGB of shape (rows, columns, 3).
    """
    uid = patient.uid(visit, "image", pixels.shape[1])
    meta = file_meta(VLPhotographicImageStorage, uid)
    ds = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    ds.SOPClassUID, ds.SOPInstanceUID = VLPhotographicImageStorage, uid
    _set_patient(ds, patient, visit)
    _set_study_and_series(ds, patient, visit)
    _set_equipment(ds, visit)
    _set_times(ds, visit)
    _set_image(ds, patient, visit)
    _set_pixels(ds, pixels)
    return ds


def file_meta(storage_class: str, uid: str) -> FileMetaDataset:
    """Return the File Meta Information (PS3.10 7.1) of a file of ours."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(storage_class)
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION
    return meta


def _set_patient(ds: Dataset, patient: Patient, visit: Visit) -> None:
    ds.PatientName = f"Periorbital^{patient.number:06d}"
    ds.PatientID = patient.patient_id
    ds.PatientBirthDate = ""
    ds.PatientSex = patient.sex
    if visit.lacks is not Lack.AGE:
        ds.PatientAge = f"{visit.age:03d}Y"


def _set_study_and_series(ds: Dataset, patient: Patient, visit: Visit) -> None:
    ds.StudyInstanceUID = patient.uid(visit, "study")
    ds.StudyID = str(visit.number)
    ds.AccessionNumber = f"PO{patient.number:06d}{visit.number:02d}"
    ds.ReferringPhysicianName = ""
    ds.StudyDescription = "Periorbital photography, primary gaze"
    ds.SeriesInstanceUID = patient.uid(visit, "series")
    ds.SeriesNumber = 1
    ds.Modality = "XC"


def _set_equipment(ds: Dataset, visit: Visit) -> None:
    camera, station = visit.camera, visit.station
    ds.Manufacturer = camera.manufacturer
    if visit.lacks is not Lack.DEVICE:
        ds.ManufacturerModelName = camera.model
    ds.InstitutionName = station.institution
    ds.StationName = station.name
    ds.DeviceSerialNumber = station.serial_number
    ds.SoftwareVersions = station.software


def _set_times(ds: Dataset, visit: Visit) -> None:
    """Date the image; one that lacks its date is a copy which only says when it was made."""
    time = visit.time
    if visit.lacks is Lack.DATE:
        ds.StudyDate = ds.StudyTime = ""
        time = COPIED
    else:
        ds.StudyDate, ds.StudyTime = f"{time:%Y%m%d}", f"{time:%H%M%S}"
        ds.AcquisitionDate, ds.AcquisitionTime = f"{time:%Y%m%d}", f"{time:%H%M%S}"
        ds.AcquisitionDateTime = f"{time:%Y%m%d%H%M%S}"
    ds.ContentDate, ds.ContentTime = f"{time:%Y%m%d}", f"{time:%H%M%S}"


def _set_image(ds: Dataset, patient: Patient, visit: Visit) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    if visit.lacks is Lack.DATE:
        ds.ImageType = ["DERIVED", "PRIMARY"]
        ds.DerivationDescription = "Copy without its dates of acquisition"
        ds.SourceImageSequence = [_reference(patient.uid(visit, "original"))]
    ds.InstanceNumber = 1
    ds.PatientOrientation = ["L", "F"]
    ds.BurnedInAnnotation = "NO"
    ds.AcquisitionContextSequence = []
    ds.AnatomicRegionSequence = [_code("371398005", "SCT", "Eye region")]
    ds.ImageLaterality = "B"


def _set_pixels(ds: Dataset, pixels: npt.NDArray[np.uint8]) -> None:
    ds.SamplesPerPixel = 3
    ds.PhotometricInterpretation = "RGB"
    ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelRepresentation = 0
    ds.LossyImageCompression = "00"
    ds.ICCProfile = srgb_profile()
    content = pixels.tobytes()
    ds.add_new("PixelData", "OB", content + bytes(len(content) % 2))


def _reference(uid: str) -> Dataset:
    item: Any = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = VLPhotographicImageStorage, uid
    item.PurposeOfReferenceCodeSequence = [_code("121322", "DCM", "Source image for image processing operation")]
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item: Any = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
