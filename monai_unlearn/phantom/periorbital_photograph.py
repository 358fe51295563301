"""One phantom photograph of both eyes as a VL Photographic Image (DICOM PS3.3 A.32.4)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pydicom.uid import VLPhotographicImageStorage

from monai_unlearn.phantom.dicom_parts import (
    code,
    new_file,
    set_colour_pixels,
    set_equipment,
    set_moment,
    set_patient,
    set_undated_copy,
)
from monai_unlearn.phantom.periorbital_patients import Lack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pydicom.dataset import Dataset, FileDataset

    from monai_unlearn.phantom.periorbital_patients import Patient, Visit

# When undated copies were made: after every visit.
COPIED = dt.datetime(2020, 1, 15, 9, 0)  # noqa: DTZ001 - DICOM times are local


def encode(patient: Patient, visit: Visit, pixels: npt.NDArray[np.uint8]) -> FileDataset:
    """Return the photograph of a visit as a DICOM file.

    Args:
        patient: The patient it shows.
        visit: The visit, with its time and camera.
        pixels: RGB of shape (rows, columns, 3).
    """
    ds = new_file(VLPhotographicImageStorage, patient.uid(visit, "image", pixels.shape[1]))
    set_patient(ds, patient, family_name="Periorbital", age=None if visit.lacks is Lack.AGE else visit.age)
    _set_study_and_series(ds, patient, visit)
    set_equipment(ds, visit.camera, visit.station, named=visit.lacks is not Lack.DEVICE)
    _set_origin(ds, patient, visit)
    _set_image(ds)
    set_colour_pixels(ds, pixels)
    return ds


def _set_study_and_series(ds: Dataset, patient: Patient, visit: Visit) -> None:
    ds.StudyInstanceUID = patient.uid(visit, "study")
    ds.StudyID = str(visit.number)
    ds.AccessionNumber = f"PO{patient.number:06d}{visit.number:02d}"
    ds.ReferringPhysicianName = ""
    ds.StudyDescription = "Periorbital photography, primary gaze"
    ds.SeriesInstanceUID = patient.uid(visit, "series")
    ds.SeriesNumber = 1
    ds.Modality = "XC"


def _set_origin(ds: Dataset, patient: Patient, visit: Visit) -> None:
    if visit.lacks is Lack.DATE:
        ds.ImageType = ["DERIVED", "PRIMARY"]
        set_undated_copy(ds, original=patient.uid(visit, "original"), made=COPIED)
        return
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    set_moment(ds, visit.time, "Study", "Acquisition", "Content")
    ds.AcquisitionDateTime = f"{visit.time:%Y%m%d%H%M%S}"


def _set_image(ds: Dataset) -> None:
    ds.InstanceNumber = 1
    ds.PatientOrientation = ["L", "F"]
    ds.BurnedInAnnotation = "NO"
    ds.AcquisitionContextSequence = []
    ds.AnatomicRegionSequence = [code("371398005", "SCT", "Eye region")]
    ds.ImageLaterality = "B"
