"""One slice of a phantom head as an MR Image (DICOM PS3.3 A.4.3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import MRImageStorage

from monai_unlearn.phantom.dicom_parts import (
    name_based_uid,
    new_file,
    set_equipment,
    set_moment,
    set_patient,
    set_undated_copy,
)
from monai_unlearn.phantom.mri_slice import FIELD_OF_VIEW
from monai_unlearn.phantom.patients import Lack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pydicom.dataset import Dataset, FileDataset

    from monai_unlearn.phantom.mri_patients import MriPatient, MriVisit
    from monai_unlearn.phantom.mri_scanners import Scanner

THICKNESS = 4.0  # mm
SPACING = 5.0  # between the centres of two slices, in mm

# When undated copies were made: after every visit.
_COPIED = dt.datetime(2021, 6, 15, 9, 0)  # noqa: DTZ001 - DICOM times are local
_FLIP_ANGLE = 12.0  # degrees


@dataclass(frozen=True, kw_only=True)
class MriSlice:
    """The content of one file.

    Attributes:
        seed: The seed of the whole set; the identifiers depend on it.
        number: The slice's number within its series, from 1 at the foot.
        level: Its height above the centre of the brain, in mm.
    """

    seed: int
    patient: MriPatient
    visit: MriVisit
    number: int
    level: float

    def uid(self, kind: str, size: int = 0) -> str:
        """Return the UID of `study`, `series`, `frame` or `image`: a name-based UUID under 2.25 (PS3.5 B.2).

        An image of another size is a different image with another UID.
        """
        image = (self.number, size) if kind == "image" else ()
        return name_based_uid("mri", kind, self.seed, self.patient.number, self.visit.number, *image)


def encode_slice(shown: MriSlice, pixels: npt.NDArray[np.uint16]) -> FileDataset:
    """Return the slice as a DICOM file.

    Args:
        shown: The content of the pixels.
        pixels: Stored values of shape (rows, columns), 0 to 4095.
    """
    size, visit = len(pixels), shown.visit
    ds = new_file(MRImageStorage, shown.uid("image", size))
    set_patient(ds, shown.patient, family_name="Phantom", age=None if visit.lacks is Lack.AGE else visit.age)
    _set_study_and_series(ds, shown)
    set_equipment(ds, visit.scanner, visit.station, named=visit.lacks is not Lack.DEVICE)
    _set_origin(ds, shown)
    _set_acquisition(ds, visit.scanner)
    _set_plane(ds, shown, size)
    _set_pixels(ds, shown, pixels)
    return ds


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


def _set_origin(ds: Dataset, shown: MriSlice) -> None:
    if shown.visit.lacks is Lack.DATE:
        ds.ImageType = ["DERIVED", "PRIMARY", "OTHER"]
        set_undated_copy(ds, original=shown.uid("original"), made=_COPIED)
    else:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
        set_moment(ds, shown.visit.time, "Study", "Series", "Acquisition", "Content")


def _set_acquisition(ds: Dataset, scanner: Scanner) -> None:
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
