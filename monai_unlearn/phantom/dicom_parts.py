"""The parts of a DICOM file that all kinds of phantoms share (DICOM PS3.3)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Protocol

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from monai_unlearn.phantom.icc import srgb_profile

if TYPE_CHECKING:
    import datetime as dt

    import numpy as np
    import numpy.typing as npt

    from monai_unlearn.phantom.devices import Station

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "phantom.monai-unlearn")


class Person(Protocol):
    """A patient; `number` counts from 1."""

    @property
    def number(self) -> int:
        """Which patient of the set."""

    @property
    def patient_id(self) -> str:
        """PatientID."""

    @property
    def sex(self) -> str:
        """PatientSex."""


class Model(Protocol):
    """A camera or scanner model."""

    @property
    def manufacturer(self) -> str:
        """Manufacturer."""

    @property
    def model(self) -> str:
        """ManufacturerModelName."""


def name_based_uid(*names: object, namespace: uuid.UUID = NAMESPACE) -> str:
    """Return the UID of these names: a name-based UUID under 2.25 (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(namespace, '/'.join(map(str, names))).int}"


def new_file(storage_class: str, uid: str) -> FileDataset:
    """Return a DICOM file with its storage class and UID only."""
    ds = FileDataset(None, {}, file_meta=file_meta(storage_class, uid), preamble=bytes(128))
    ds.SOPClassUID, ds.SOPInstanceUID = UID(storage_class), UID(uid)
    return ds


def file_meta(storage_class: str, uid: str) -> FileMetaDataset:
    """Return the File Meta Information (PS3.10 7.1) of a phantom file."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(storage_class)
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # Our own: pydicom's would change the bytes with its version.
    meta.ImplementationClassUID = UID(f"2.25.{NAMESPACE.int}")
    meta.ImplementationVersionName = "MONAI_UNLEARN"
    return meta


def set_patient(ds: Dataset, patient: Person, *, family_name: str, age: int | None) -> None:
    """Set the patient (C.7.1.1), and their age at the study (C.7.2.2) in years, or None if the tag is missing."""
    ds.PatientName = f"{family_name}^{patient.number:06d}"
    ds.PatientID = patient.patient_id
    ds.PatientBirthDate = ""
    ds.PatientSex = patient.sex
    if age is not None:
        ds.PatientAge = f"{age:03d}Y"


def set_equipment(ds: Dataset, model: Model, station: Station, *, named: bool) -> None:
    """Set the equipment (C.7.5.1); without `named` only the manufacturer, not the model."""
    ds.Manufacturer = model.manufacturer
    if named:
        ds.ManufacturerModelName = model.model
    ds.InstitutionName = station.institution
    ds.StationName = station.name
    ds.DeviceSerialNumber = station.serial_number
    ds.SoftwareVersions = station.software


def set_moment(ds: Dataset, time: dt.datetime, *events: str) -> None:
    """Set the date and the time of events such as `Study`, `Acquisition`, `Content`."""
    for event in events:
        setattr(ds, f"{event}Date", f"{time:%Y%m%d}")
        setattr(ds, f"{event}Time", f"{time:%H%M%S}")


def set_undated_copy(ds: Dataset, *, original: str, made: dt.datetime) -> None:
    """Turn the image into an undated copy, which only records when the copy was made (C.7.6.1).

    Args:
        ds: The file.
        original: SOPInstanceUID of the image that was copied.
        made: When the copy was made.
    """
    ds.StudyDate = ds.StudyTime = ""
    set_moment(ds, made, "Content")
    ds.DerivationDescription = "Copy without its dates of acquisition"
    source: Any = Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = ds.SOPClassUID, original
    source.PurposeOfReferenceCodeSequence = [code("121322", "DCM", "Source image for image processing operation")]
    ds.SourceImageSequence = [source]


def set_colour_pixels(ds: Dataset, pixels: npt.NDArray[np.uint8]) -> None:
    """Set the pixels of a colour photograph (C.7.6.3) and its ICC profile (C.11.15).

    Args:
        ds: The file.
        pixels: RGB of shape (rows, columns, 3).
    """
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


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return a coded concept as an item of a sequence (8.8)."""
    item: Any = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
