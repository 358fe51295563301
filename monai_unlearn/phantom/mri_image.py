"""One slice of a phantom head as an MR Image (DICOM PS3.3 A.4.3)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from monai_unlearn.phantom.mri_head import FIELD_OF_VIEW
from monai_unlearn.phantom.patients import Lack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from monai_unlearn.phantom.mri_patients import MriPatient, MriVisit

THICKNESS = 4.0  # mm
SPACING = 5.0  # between the middles of two slices, in mm

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "phantom.monai-unlearn")
# When the copies that have lost their date of acquisition were made: after every visit.
_COPIED = dt.datetime(2021, 6, 15, 9, 0)  # noqa: DTZ001 - DICOM times are local
_FLIP_ANGLE = 12.0  # degrees


@dataclass(frozen=True, kw_only=True)
class MriSlice:
    """What one file shows.

    Attributes:
        seed: The seed of the whole set; the identifiers depend on it.
        number: Of the slice within its series, from 1 at the foot.
        level: How far above the middle of the brain it lies, in mm.
    """

    seed: int
    patient: MriPatient
    visit: MriVisit
    number: int
    level: float

    def uid(self, kind: str, size: int = 0) -> str:
        """Return the UID of `study`, `series`, `frame` or `image`: a name-based UUID under 2.25 (PS3.5 B.2).

        An image of another size is another image, and has another UID.
        """
        names = ["mri", kind, self.seed, self.patient.number, self.visit.number]
        if kind == "image":
            names += [self.number, size]
        return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(map(str, names))).int}"


def encode_slice(shown: MriSlice, pixels: npt.NDArray[np.uint16]) -> FileDataset:
    """Return the slice as a DICOM file.

    Args:
        shown: What the pixels show.
        pixels: Stored values of shape (rows, columns), 0 to 4095.
    """
    size = len(pixels)
    ds = FileDataset(None, {}, file_meta=_file_meta(shown, size), preamble=bytes(128))
    ds.SOPClassUID = MRImageStorage
    ds.SOPInstanceUID = shown.uid("image", size)
    _set_patient(ds, shown)
    _set_study_and_series(ds, shown)
    _set_equipment(ds, shown)
    _set_times(ds, shown)
    _set_acquisition(ds, shown)
    _set_plane(ds, shown, size)
    _set_pixels(ds, shown, pixels)
    return ds


def _file_meta(shown: MriSlice, size: int) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(shown.uid("image", size))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # Our own, since pydicom's would change the bytes with its version.
    meta.ImplementationClassUID = UID(f"2.25.{_NAMESPACE.int}")
    meta.ImplementationVersionName = "MONAI_UNLEARN"
    return meta


def _set_patient(ds: Dataset, shown: MriSlice) -> None:
    patient = shown.patient
    ds.PatientName = f"Phantom^{patient.number:06d}"
    ds.PatientID = patient.patient_id
    ds.PatientBirthDate = ""
    ds.PatientSex = patient.sex
    if shown.visit.lacks is not Lack.AGE:
        ds.PatientAge = f"{shown.visit.age:03d}Y"


def _set_study_and_series(ds: Dataset, shown: MriSlice) -> None:
    ds.StudyInstanceUID = shown.uid("study")
    ds.StudyID = str(shown.visit.number)
    ds.AccessionNumber = f"PM{shown.patient.number:06d}{shown.visit.number:02d}"
    ds.ReferringPhysicianName = ""
    ds.StudyDescription = "MR of the head with contrast agent"
    ds.SeriesInstanceUID = shown.uid("series")
    ds.SeriesNumber = 1
    ds.SeriesDescription = "T1 axial, contrast enhanced"
    ds.Modality = "MR"
    ds.BodyPartExamined = "BRAIN"
    ds.FrameOfReferenceUID = shown.uid("frame")
    ds.PositionReferenceIndicator = ""
    ds.PatientPosition = "HFS"


def _set_equipment(ds: Dataset, shown: MriSlice) -> None:
    scanner, station = shown.visit.scanner, shown.visit.station
    ds.Manufacturer = scanner.manufacturer
    if shown.visit.lacks is not Lack.DEVICE:
        ds.ManufacturerModelName = scanner.model
    ds.InstitutionName = station.institution
    ds.StationName = station.name
    ds.DeviceSerialNumber = station.serial_number
    ds.SoftwareVersions = station.software


def _set_times(ds: Dataset, shown: MriSlice) -> None:
    """Date the image; one that lacks its date is a copy which only says when it was made."""
    time = shown.visit.time
    if shown.visit.lacks is Lack.DATE:
        ds.StudyDate = ds.StudyTime = ""
        time = _COPIED
    else:
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = f"{time:%Y%m%d}"
        ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = f"{time:%H%M%S}"
    ds.ContentDate, ds.ContentTime = f"{time:%Y%m%d}", f"{time:%H%M%S}"


def _set_acquisition(ds: Dataset, shown: MriSlice) -> None:
    scanner = shown.visit.scanner
    derived = shown.visit.lacks is Lack.DATE
    ds.ImageType = ["DERIVED" if derived else "ORIGINAL", "PRIMARY", "OTHER"]
    if derived:
        ds.DerivationDescription = "Copy without its dates of acquisition"
        ds.SourceImageSequence = [_reference(shown.uid("original"))]
    ds.ScanningSequence = "GR"
    ds.SequenceVariant = "SP"
    ds.ScanOptions = ""
    ds.MRAcquisitionType = "2D"
    ds.MagneticFieldStrength = scanner.field_strength
    ds.RepetitionTime = scanner.repetition_time
    ds.EchoTime = scanner.echo_time
    ds.EchoTrainLength = 1
    ds.FlipAngle = _FLIP_ANGLE
    ds.ContrastBolusAgent = "Gadolinium"
    ds.AcquisitionNumber = 1


def _set_plane(ds: Dataset, shown: MriSlice, size: int) -> None:
    """Place the slice in the patient (PS3.3 C.7.6.2): rows to the left, columns to the back."""
    pixel = FIELD_OF_VIEW / size
    first = f"{pixel / 2 - FIELD_OF_VIEW / 2:.6f}"
    ds.PixelSpacing = [f"{pixel:.6f}"] * 2
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.ImagePositionPatient = [first, first, f"{shown.level:.6f}"]
    ds.SliceThickness = THICKNESS
    ds.SpacingBetweenSlices = SPACING
    ds.SliceLocation = f"{shown.level:.6f}"
    ds.InstanceNumber = shown.number


def _set_pixels(ds: Dataset, shown: MriSlice, pixels: npt.NDArray[np.uint16]) -> None:
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated = 16
    ds.BitsStored = 12
    ds.HighBit = 11
    ds.PixelRepresentation = 0
    ds.BurnedInAnnotation = "NO"
    ds.LossyImageCompression = "00"
    ds.WindowCenter = round(shown.visit.scanner.scale / 2)
    ds.WindowWidth = round(shown.visit.scanner.scale)
    ds.add_new("PixelData", "OW", pixels.astype("<u2").tobytes())


def _reference(uid: str) -> Dataset:
    item: Any = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = MRImageStorage, uid
    purpose: Any = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "121322", "DCM"
    purpose.CodeMeaning = "Source image for image processing operation"
    item.PurposeOfReferenceCodeSequence = [purpose]
    return item
