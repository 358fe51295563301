"""What was measured in a phantom photograph, as a DICOM measurement report (PS3.16 TID 1500).

The concepts carry their side themselves, `R VPF`, so that an index's columns have the names of the published table:
`r_vpf`, `l_mrd1`, `icd`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import InputError
from monai_unlearn.phantom.dicom_parts import file_meta, set_moment
from monai_unlearn.phantom.periorbital_patients import Lack
from monai_unlearn.phantom.periorbital_photograph import COPIED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydicom.dataset import Dataset

    from monai_unlearn.phantom.periorbital_patients import Patient, Visit

_SCHEME = "99MUNLEARN"
_DIGITS = 2  # of a mm, or of a degree


def require_highdicom() -> None:
    """See that what writes reports is installed.

    Raises:
        InputError: It is not.
    """
    try:
        import highdicom  # noqa: F401 - whether it can be had is the question
    except ModuleNotFoundError:
        raise InputError(
            "Writing DICOM measurement reports takes highdicom, which is not installed. Install it with: "
            "pip install 'monai-unlearn[pacs]', or leave the reports out."
        ) from None


def report(
    patient: Patient, visit: Visit, photograph: Dataset, measurements: Mapping[str, tuple[float, str]]
) -> Dataset:
    """Return the report of a visit; one that lacks a measurement says nothing of the left eye.

    Args:
        patient: Who was measured.
        visit: When.
        photograph: The image that was measured.
        measurements: Numbers and their UCUM units by name, as `Face.measurements` has them.
    """
    import highdicom as hd
    from pydicom.uid import ComprehensiveSRStorage

    uid = patient.uid(visit, "report", photograph.Columns)
    kept = {
        name: number
        for name, number in measurements.items()
        if visit.lacks is not Lack.MEASUREMENT or not name.startswith("l_")
    }
    document: Any = hd.sr.ComprehensiveSR(
        evidence=[photograph],
        content=_content(patient, visit, photograph, kept),
        series_instance_uid=patient.uid(visit, "report series"),
        series_number=2,
        sop_instance_uid=uid,
        instance_number=1,
        manufacturer="monai-unlearn",
        is_complete=True,
    )
    # highdicom dates a document with the moment; the same seed must give the same bytes.
    time = COPIED if visit.lacks is Lack.DATE else visit.time
    events = ("Content", "InstanceCreation", "Series")
    set_moment(document, time, *(event for event in events if f"{event}Date" in document))
    # It also copies there what took the photograph, named in the image or not, and its own version.
    del document.ContributingEquipmentSequence
    document.file_meta = file_meta(ComprehensiveSRStorage, uid)
    made: Dataset = document
    return made


def _content(patient: Patient, visit: Visit, photograph: Dataset, measurements: Mapping[str, tuple[float, str]]) -> Any:  # noqa: ANN401 - highdicom's types are not looked at
    import highdicom as hd
    from pydicom.sr.codedict import codes

    source = hd.sr.SourceImageForMeasurementGroup(photograph.SOPClassUID, photograph.SOPInstanceUID)
    tracking = hd.sr.TrackingIdentifier(uid=patient.uid(visit, "tracking"), identifier="Periorbital anatomy")
    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        measurements=[
            hd.sr.Measurement(
                name=hd.sr.CodedConcept(name.upper(), _SCHEME, name.replace("_", " ").upper()),
                value=round(value, _DIGITS),
                unit=hd.sr.CodedConcept(unit, "UCUM", unit),
            )
            for name, (value, unit) in measurements.items()
        ],
        source_images=[source],
    )
    device = hd.sr.DeviceObserverIdentifyingAttributes(uid=patient.uid(visit, "observer"), name="monai-unlearn phantom")
    return hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(
            hd.sr.ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
        ),
        procedure_reported=hd.sr.CodedConcept("72170-4", "LN", "Photographic image"),
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
    )
