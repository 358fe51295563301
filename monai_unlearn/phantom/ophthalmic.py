"""One phantom photograph as an Ophthalmic Photography 8 Bit Image (DICOM PS3.3 A.41.3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.tag import Tag
from pydicom.uid import OphthalmicPhotography8BitImageStorage

from monai_unlearn.phantom.dicom_parts import (
    code,
    name_based_uid,
    new_file,
    set_colour_pixels,
    set_equipment,
    set_moment,
    set_patient,
    set_undated_copy,
)
from monai_unlearn.phantom.patients import LATERALITIES, Diagnosis, Lack, Patient, Visit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pydicom.dataset import Dataset, FileDataset

_COORDINATED_UNIVERSAL_TIME = "1.2.840.10008.15.1.1"  # well-known frame of reference, PS3.6 table A-2
_MM_PER_DEGREE = 0.291  # on the retina of an eye of average length

# When undated copies were made: after every visit.
_COPIED = dt.datetime(2019, 1, 15, 9, 0)  # noqa: DTZ001 - DICOM times are local


@dataclass(frozen=True)
class Photograph:
    """The content of one file: an eye of a patient at a visit.

    Attributes:
        seed: The seed of the whole set; the identifiers depend on it.
        laterality: `R` or `L`.
    """

    seed: int
    patient: Patient
    visit: Visit
    laterality: str

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of the eye."""
        return self.patient.diagnoses[self.laterality]

    @property
    def lacks(self) -> Lack | None:
        """The tag that this image lacks."""
        return self.visit.lacks.get(self.laterality)

    def uid(self, level: str, size: int = 0) -> str:
        """Return the UID of `study`, `series` or `image`: a name-based UUID under 2.25 (PS3.5 B.2).

        An image of another size is a different image with another UID.
        """
        image = (self.laterality, size) if level == "image" else ()
        return name_based_uid("fundus", level, self.seed, self.patient.number, self.visit.number, *image)


def encode(photograph: Photograph, pixels: npt.NDArray[np.uint8]) -> FileDataset:
    """Return the photograph as a DICOM file.

    Args:
        photograph: The content of the pixels.
        pixels: RGB of shape (rows, columns, 3).
    """
    visit, lacks = photograph.visit, photograph.lacks
    ds = new_file(OphthalmicPhotography8BitImageStorage, photograph.uid("image", len(pixels)))
    set_patient(ds, photograph.patient, family_name="Phantom", age=None if lacks is Lack.AGE else visit.age)
    _set_study_and_series(ds, photograph)
    set_equipment(ds, visit.device, visit.station, named=lacks is not Lack.DEVICE)
    _set_origin(ds, photograph)
    _set_image(ds, photograph)
    _set_acquisition(ds, photograph, len(pixels))
    set_colour_pixels(ds, pixels)
    ds.NumberOfFrames = 1
    ds.FrameIncrementPointer = Tag("InstanceNumber")
    return ds


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


def _set_origin(ds: Dataset, photograph: Photograph) -> None:
    if photograph.lacks is Lack.DATE:
        ds.ImageType = ["DERIVED", "PRIMARY", "COPY"]
        set_undated_copy(ds, original=photograph.uid("original"), made=_COPIED)
        return
    ds.ImageType = ["ORIGINAL", "PRIMARY", "", "COLOR"]
    # The eyes are photographed one minute apart.
    time = photograph.visit.time + dt.timedelta(minutes=LATERALITIES.index(photograph.laterality))
    set_moment(ds, photograph.visit.time, "Study")
    set_moment(ds, time, "Acquisition", "Content")
    ds.AcquisitionDateTime = f"{time:%Y%m%d%H%M%S}"


def _set_image(ds: Dataset, photograph: Photograph) -> None:
    ds.InstanceNumber = LATERALITIES.index(photograph.laterality) + 1
    ds.PatientOrientation = ["L", "F"]
    ds.BurnedInAnnotation = "NO"
    ds.ImageLaterality = photograph.laterality
    ds.AnatomicRegionSequence = [code("5665001", "SCT", "Retina")]


def _set_acquisition(ds: Dataset, photograph: Photograph, size: int) -> None:
    device = photograph.visit.device
    ds.PatientEyeMovementCommanded = ""
    ds.RefractiveStateSequence = []
    ds.EmmetropicMagnification = None
    ds.IntraOcularPressure = None
    ds.HorizontalFieldOfView = device.optics.field_of_view
    ds.PupilDilated = ""
    ds.AcquisitionDeviceTypeCodeSequence = [code(*device.kind)]
    ds.IlluminationTypeCodeSequence = []
    ds.LightPathFilterTypeStackCodeSequence = []
    ds.ImagePathFilterTypeStackCodeSequence = []
    ds.LensesCodeSequence = []
    ds.DetectorType = "CCD"
    spacing = f"{device.optics.field_of_view * _MM_PER_DEGREE / (size * device.optics.field_radius):.6f}"
    ds.PixelSpacing = [spacing, spacing]
