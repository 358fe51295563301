"""The measurements of a phantom photograph as a DICOM measurement report (PS3.16 TID 1500).

The concepts include the side, `R VPF`, so that an index's columns have the names of the published table:
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
_DIGITS = 2  # decimal digits of a mm or a degree


def require_highdicom() -> None:
    """Check that highdicom is installed.

    Raises:
        InputError: It is not installed.
    """
    try:
        import highdicom  # noqa: F401 - imported only to see whether it is installed
    except ModuleNotFoundError:
        raise InputError(
            "Writing DICOM measurement reports requires highdicom, which is not installed. Install it with: "
            "pip install 'monai-unlearn[pacs]', or leave the reports out."
        ) from None


def report(
    patient: Patient, visit: Visit, photograph: Dataset, measurements: Mapping[str, tuple[float, str]]
) -> Dataset:
    """Return the report of a visit; if the visit lacks a measurement, those of the left eye are missing.

    Args:
        patient: The patient.
        visit: The visit.
        photograph: The image that was measured.
        measurements: Values and their UCUM units by name, as `Face.measurements` returns them.
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
    # highdicom writes the current time; the same seed must give the same bytes.
    time = COPIED if visit.lacks is Lack.DATE else visit.time
    events = ("Content", "InstanceCreation", "Series")
    set_moment(document, time, *(event for event in events if f"{event}Date" in document))
    # It also adds the camera, even if the image does not name it, and its own version.
    del document.ContributingEquipmentSequence
    document.file_meta = file_meta(ComprehensiveSRStorage, uid)
    made: Dataset = document
    return made


def _content(patient: Patient, visit: Visit, photograph: Dataset, measurements: Mapping[str, tuple[float, str]]) -> Any:  # noqa: ANN401 - highdicom's types are not checked
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
