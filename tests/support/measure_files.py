"""Small masks, segmentations and reports, made with nibabel and highdicom over small DICOM images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import highdicom as hd
import nibabel as nib
import numpy as np
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset, FileDataset

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
UCUM = "UCUM"


def make_mask(path: Path, values: np.ndarray, affine: np.ndarray | None = None, **options: object) -> Path:
    """Write a label map as NIfTI; the affine is NIfTI's own, from voxels to mm of RAS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = options.pop("image", nib.Nifti1Image)(values, np.eye(4) if affine is None else affine)
    image.header.set_xyzt_units(options.pop("unit", "mm"))
    nib.save(image, path)
    return path


def make_slices(
    dataset: Callable[..., FileDataset],
    number: int = 4,
    *,
    shape: tuple[int, int] = (6, 8),
    first: Sequence[float] = (-10.0, -20.0, 30.0),
    orientation: Sequence[float] = AXIAL,
    gap: float = 3.0,
    **tags: object,
) -> list[FileDataset]:
    """Make the slices of a CT series in memory: rows 2 mm apart, columns 0.5 mm, slices 3 mm."""
    normal = np.cross(orientation[:3], orientation[3:])
    return [
        dataset(
            100 + position,
            SOPClassUID=CTImageStorage,
            SOPInstanceUID=generate_uid(entropy_srcs=["slice", str(position), str(first)]),
            StudyInstanceUID=generate_uid(entropy_srcs=["ct study", str(first)]),
            SeriesInstanceUID=generate_uid(entropy_srcs=["ct series", str(first)]),
            FrameOfReferenceUID=generate_uid(entropy_srcs=["frame of reference"]),
            PatientID="P100",
            PatientName="",
            PatientBirthDate="",
            PatientSex="",
            AccessionNumber="",
            StudyID="1",
            StudyTime="",
            ReferringPhysicianName="",
            SeriesNumber=1,
            InstanceNumber=position + 1,
            Modality="CT",
            SamplesPerPixel=1,
            PhotometricInterpretation="MONOCHROME2",
            PlanarConfiguration=None,
            Rows=shape[0],
            Columns=shape[1],
            PixelSpacing=[2.0, 0.5],
            SliceThickness=gap,
            ImageOrientationPatient=list(orientation),
            ImagePositionPatient=[float(axis) for axis in np.asarray(first) + normal * gap * position],
            PixelData=bytes(shape[0] * shape[1]),
            **tags,
        )
        for position in range(number)
    ]


def save(folder: Path, images: Sequence[Dataset], name: str = "image") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}{number}.dcm" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        image.save_as(path, enforce_file_format=True)
    return paths


def describe(number: int, label: str) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=codes.SCT.Organ,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def make_seg(
    slices: Sequence[Dataset],
    values: np.ndarray,
    labels: Mapping[int, str],
    *,
    kind: str = "BINARY",
    **options: object,
) -> hd.seg.Segmentation:
    """Make a segmentation of slices in memory.

    `values` has the shape (slices, rows, columns) and holds numbers of segments, which are named in `labels`.
    """
    return hd.seg.Segmentation(
        source_images=slices,
        pixel_array=values.astype(np.uint8),
        segmentation_type=kind,
        segment_descriptions=[describe(number, label) for number, label in labels.items()],
        series_instance_uid=generate_uid(entropy_srcs=["seg", str(slices[0].SOPInstanceUID)]),
        series_number=20,
        sop_instance_uid=generate_uid(entropy_srcs=["segmentation", str(values.tobytes()), str(labels)]),
        instance_number=1,
        manufacturer="Phantom",
        manufacturer_model_name="Phantom",
        software_versions="1",
        device_serial_number="1",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **options,
    )


LEFT, RIGHT = codes.SCT.Left, codes.SCT.Right


def concept(meaning: str, value: str | None = None, scheme: str = "99PHANTOM") -> hd.sr.CodedConcept:
    return hd.sr.CodedConcept(value or meaning.upper().replace(" ", "_")[:16], scheme, meaning)


def number(
    meaning: str, value: float, unit: str = "mm", *, images: Sequence[Dataset] = (), **options: object
) -> hd.sr.Measurement:
    """Make a number of a report; `images` are what it alone was measured in."""
    sources = [hd.sr.SourceImageForMeasurement(image.SOPClassUID, image.SOPInstanceUID) for image in images]
    return hd.sr.Measurement(
        name=concept(meaning), value=value, unit=concept(unit, unit, UCUM), referenced_images=sources or None, **options
    )


def site(meaning: str, side: object = None) -> hd.sr.FindingSite:
    return hd.sr.FindingSite(anatomic_location=concept(meaning), laterality=side)


def tracked(name: str = "1") -> hd.sr.TrackingIdentifier:
    return hd.sr.TrackingIdentifier(uid=generate_uid(entropy_srcs=["tracked", name]), identifier=name)


def image_group(numbers: Sequence[hd.sr.Measurement], images: Sequence[Dataset] = (), **options: object) -> object:
    """Make a group of numbers of whole images."""
    sources = [hd.sr.SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID) for image in images]
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracked(), measurements=numbers, source_images=sources or None, **options
    )


def planar_group(numbers: Sequence[hd.sr.Measurement], image: Dataset, **options: object) -> object:
    """Make a group of numbers of a region of one image."""
    source = hd.sr.SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID)
    region = hd.sr.ImageRegion(hd.sr.GraphicTypeValues.POINT, np.array([[1.0, 1.0]]), source)
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracked(), referenced_region=region, measurements=numbers, **options
    )


def make_sr(groups: Sequence[object], evidence: Sequence[Dataset], seed: str = "report") -> hd.sr.ComprehensiveSR:
    """Make a measurement report in memory, of groups of numbers about images."""
    person = hd.sr.PersonObserverIdentifyingAttributes(name="Phantom^Reader")
    report = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(
            hd.sr.ObserverContext(observer_type=codes.DCM.Person, observer_identifying_attributes=person)
        ),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    return hd.sr.ComprehensiveSR(
        evidence=evidence,
        content=report,
        series_instance_uid=generate_uid(entropy_srcs=["sr series", seed]),
        series_number=30,
        sop_instance_uid=generate_uid(entropy_srcs=["sr", seed]),
        instance_number=1,
        manufacturer="Phantom",
    )
