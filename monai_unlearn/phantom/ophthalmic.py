"""One phantom photograph as an Ophthalmic Photography 8 Bit Image (DICOM PS3.3 A.41.3)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, OphthalmicPhotography8BitImageStorage

from monai_unlearn.phantom.icc import srgb_profile
from monai_unlearn.phantom.patients import LATERALITIES, Lack, Patient, Visit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "phantom.monai-unlearn")
_COORDINATED_UNIVERSAL_TIME = "1.2.840.10008.15.1.1"  # well-known frame of reference, PS3.6 table A-2
_MM_PER_DEGREE = 0.291  # on the retina of an eye of average length

# When the copies that have lost their date of acquisition were made: after every visit.
_COPIED = dt.datetime(2019, 1, 15, 9, 0)  # noqa: DTZ001 - DICOM times are local


@dataclass(frozen=True)
class Photograph:
    """What one file shows: an eye of a patient, at a visit.

    Attributes:
        seed: The seed of the whole set; the identifiers depend on it.
        laterality: `R` or `L`.
    """

    seed: int
    patient: Patient
    visit: Visit
    laterality: str

    @property
    def lacks(self) -> Lack | None:
        """The tag that this image lacks."""
        return self.visit.lacks.get(self.laterality)

    def uid(self, level: str, size: int = 0) -> str:
        """Return the UID of `study`, `series` or `image`: a name-based UUID under 2.25 (PS3.5 B.2).

        An image of another size is another image, and has another UID.
        """
        names = ["fundus", level, self.seed, self.patient.number, self.visit.number]
        if level == "image":
            names += [self.laterality, size]
        return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(map(str, names))).int}"


def encode(photograph: Photograph, pixels: npt.NDArray[np.uint8]) -> FileDataset:
    """Return the photograph as a DICOM file.

    Args:
        photograph: What the pixels show.
        pixels: RGB of shape (rows, columns, 3).
    """
    ds = FileDataset(None, {}, file_meta=_file_meta(photograph, len(pixels)), preamble=bytes(128))
    ds.SOPClassUID = OphthalmicPhotography8BitImageStorage
    ds.SOPInstanceUID = photograph.uid("image", len(pixels))
    _set_patient(ds, photograph)
    _set_study_and_series(ds, photograph)
    _set_equipment(ds, photograph)
    _set_times(ds, photograph)
    _set_image(ds, photograph)
    _set_acquisition(ds, photograph, len(pixels))
    _set_pixels(ds, pixels)
    return ds


def _file_meta(photograph: Photograph, size: int) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = OphthalmicPhotography8BitImageStorage
    meta.MediaStorageSOPInstanceUID = UID(photograph.uid("image", size))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # Our own, since pydicom's would change the bytes with its version.
    meta.ImplementationClassUID = UID(f"2.25.{_NAMESPACE.int}")
    meta.ImplementationVersionName = "MONAI_UNLEARN"
    return meta


def _set_patient(ds: Dataset, photograph: Photograph) -> None:
    patient = photograph.patient
    ds.PatientName = f"Phantom^{patient.number:06d}"
    ds.PatientID = patient.patient_id
    ds.PatientBirthDate = ""
    ds.PatientSex = patient.sex
    if photograph.lacks is not Lack.AGE:
        ds.PatientAge = f"{photograph.visit.age:03d}Y"


def _set_study_and_series(ds: Dataset, photograph: Photograph) -> None:
    ds.StudyInstanceUID = photograph.uid("study")
    ds.StudyID = str(photograph.visit.number)
    ds.AccessionNumber = f"PH{photograph.patient.number:06d}{photograph.visit.number:02d}"
    ds.ReferringPhysicianName = ""
    ds.StudyDescription = "Colour fundus photography, both eyes"
    ds.SeriesInstanceUID = photograph.uid("series")
    ds.SeriesNumber = 1
    ds.Modality = "OP"
    ds.SynchronizationFrameOfReferenceUID = _COORDINATED_UNIVERSAL_TIME
    ds.SynchronizationTrigger = "NO TRIGGER"
    ds.AcquisitionTimeSynchronized = "N"


def _set_equipment(ds: Dataset, photograph: Photograph) -> None:
    device, station = photograph.visit.device, photograph.visit.station
    ds.Manufacturer = device.manufacturer
    if photograph.lacks is not Lack.DEVICE:
        ds.ManufacturerModelName = device.model
    ds.InstitutionName = station.institution
    ds.StationName = station.name
    ds.DeviceSerialNumber = station.serial_number
    ds.SoftwareVersions = station.software


def _set_times(ds: Dataset, photograph: Photograph) -> None:
    """Date the image; one that lacks its date is a copy which only says when it was made."""
    # The eyes are photographed one minute after the other.
    time = photograph.visit.time + dt.timedelta(minutes=LATERALITIES.index(photograph.laterality))
    if photograph.lacks is Lack.DATE:
        ds.StudyDate = ds.StudyTime = ""
        time = _COPIED
    else:
        ds.StudyDate, ds.StudyTime = f"{photograph.visit.time:%Y%m%d}", f"{photograph.visit.time:%H%M%S}"
        ds.AcquisitionDate, ds.AcquisitionTime = f"{time:%Y%m%d}", f"{time:%H%M%S}"
        ds.AcquisitionDateTime = f"{time:%Y%m%d%H%M%S}"
    ds.ContentDate, ds.ContentTime = f"{time:%Y%m%d}", f"{time:%H%M%S}"


def _set_image(ds: Dataset, photograph: Photograph) -> None:
    derived = photograph.lacks is Lack.DATE
    ds.ImageType = ["DERIVED", "PRIMARY", "COPY"] if derived else ["ORIGINAL", "PRIMARY", "", "COLOR"]
    if derived:
        ds.DerivationDescription = "Copy without its dates of acquisition"
        ds.SourceImageSequence = [_reference(photograph.uid("original"))]
    ds.InstanceNumber = LATERALITIES.index(photograph.laterality) + 1
    ds.PatientOrientation = ["L", "F"]
    ds.BurnedInAnnotation = "NO"
    ds.ImageLaterality = photograph.laterality
    ds.AnatomicRegionSequence = [_code("5665001", "SCT", "Retina")]


def _set_acquisition(ds: Dataset, photograph: Photograph, size: int) -> None:
    device = photograph.visit.device
    ds.PatientEyeMovementCommanded = ""
    ds.RefractiveStateSequence = []
    ds.EmmetropicMagnification = None
    ds.IntraOcularPressure = None
    ds.HorizontalFieldOfView = device.optics.field_of_view
    ds.PupilDilated = ""
    ds.AcquisitionDeviceTypeCodeSequence = [_code(*device.kind)]
    ds.IlluminationTypeCodeSequence = []
    ds.LightPathFilterTypeStackCodeSequence = []
    ds.ImagePathFilterTypeStackCodeSequence = []
    ds.LensesCodeSequence = []
    ds.DetectorType = "CCD"
    spacing = f"{device.optics.field_of_view * _MM_PER_DEGREE / (size * device.optics.field_radius):.6f}"
    ds.PixelSpacing = [spacing, spacing]


def _set_pixels(ds: Dataset, pixels: npt.NDArray[np.uint8]) -> None:
    ds.SamplesPerPixel = 3
    ds.PhotometricInterpretation = "RGB"
    ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.NumberOfFrames = 1
    ds.FrameIncrementPointer = Tag("InstanceNumber")
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelRepresentation = 0
    ds.LossyImageCompression = "00"
    ds.ICCProfile = srgb_profile()
    content = pixels.tobytes()
    ds.add_new("PixelData", "OB", content + bytes(len(content) % 2))


def _reference(uid: str) -> Dataset:
    item: Any = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = OphthalmicPhotography8BitImageStorage, uid
    item.PurposeOfReferenceCodeSequence = [_code("121322", "DCM", "Source image for image processing operation")]
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item: Any = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
