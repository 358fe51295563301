"""The content of a DICOM measurement report (PS3.16 TID 1500): a model's prediction on one image."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.release.torchscript import read_export
from monai_unlearn.release.weights import weights_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

MANUFACTURER = "monai_unlearn"
# Private coding schemes begin with 99 (PS3.16 section 8.2); concepts are numbered within a bundle.
SCHEME = "99MUNLEARN"

_SERIES_NUMBER = 9001


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """The model that made a prediction.

    Args:
        name: The bundle's name.
        version: Its version, as in its metadata.
        weights: The digest of its weights, as in the model card.
        class_names: Its classes, in the order of its outputs.
    """

    name: str
    version: str
    weights: str
    class_names: tuple[str, ...]

    @classmethod
    def of_export(cls, path: str | Path) -> ModelIdentity:
        """Return the identity in an exported file, which is that of its bundle.

        Args:
            path: A file that `export_torchscript` wrote.
        """
        exported = read_export(path)
        channels = exported.metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
        return cls(
            name=str(exported.metadata["name"]),
            version=str(exported.metadata["version"]),
            weights=weights_digest(exported.network.state_dict()),
            class_names=tuple(channels.values()),
        )


def encode_report(source: Dataset, probabilities: Sequence[float], *, model: ModelIdentity) -> Dataset:
    """Return a Comprehensive SR with the class probabilities and the likeliest class of one image.

    Args:
        source: The image, with or without pixels.
        probabilities: A value from 0 to 1 for each class of the model.
        model: The model that predicted, written as AlgorithmIdentification (PS3.16 TID 4019) with the digest of the
            weights as a parameter.

    Raises:
        DataError: The image lacks the identifiers that a report must repeat.
        ConfigError: The number of probabilities is not the number of classes, or is one.
    """
    import highdicom as hd

    if len(probabilities) != len(model.class_names):
        raise ConfigError(
            f"class_names: expected one class for each of {len(probabilities)} probabilities, got "
            f"{len(model.class_names)}."
        )
    if len(probabilities) == 1:
        raise ConfigError(
            "class_names: expected at least two classes, got one: the likeliest of one would be found in every image. "
            "Reports are for networks with an output for each class."
        )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=_observer(model)),
        procedure_reported=hd.sr.CodedConcept("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=[_measurements(source, probabilities, model)],
        title=hd.sr.CodedConcept("126000", "DCM", "Imaging Measurement Report"),
    )
    try:
        return hd.sr.ComprehensiveSR(
            evidence=[source],
            content=content[0],
            series_instance_uid=hd.UID(),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=model.name,
            software_versions=model.version,
            device_serial_number=model.weights.removeprefix("sha256:"),
            series_description=f"Predictions of {model.name} {model.version}"[:64],
            is_complete=True,
        )
    except AttributeError as error:
        raise DataError(
            f"an image of this study lacks {error.name or 'a tag'}, which a report must repeat. Fix the file, or "
            "leave reports out."
        ) from error


def _observer(model: ModelIdentity) -> Any:  # noqa: ANN401 - highdicom is imported where it is used
    import highdicom as hd

    return hd.sr.ObserverContext(
        observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=hd.UID.from_uuid(_uuid_of(model)), name=model.name, manufacturer_name=MANUFACTURER
        ),
    )


def _uuid_of(model: ModelIdentity) -> str:
    """Return a UUID that depends on name and weights only: a revision is the same observer everywhere."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"monai-unlearn:{model.name}:{model.weights}"))


def _measurements(source: Dataset, probabilities: Sequence[float], model: ModelIdentity) -> Any:  # noqa: ANN401 - as above
    import highdicom as hd

    likeliest = max(range(len(probabilities)), key=probabilities.__getitem__)
    concepts = _concepts(model.class_names)
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=hd.UID(), identifier="Classification of one image"),
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=model.name, version=model.version, parameters=[f"weights {model.weights}"], manufacturer=MANUFACTURER
        ),
        source_images=[hd.sr.SourceImageForMeasurementGroup.from_source_image(source)],
        measurements=[
            hd.sr.Measurement(
                name=hd.sr.CodedConcept(f"P{number}", SCHEME, f"Probability of {name}"[:64]),
                value=round(value, 6),
                unit=hd.sr.CodedConcept("1", "UCUM", "no units"),
            )
            for number, (name, value) in enumerate(zip(model.class_names, probabilities, strict=True))
        ],
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(
                name=hd.sr.CodedConcept("121071", "DCM", "Finding"), value=concepts[model.class_names[likeliest]]
            )
        ],
    )


def _concepts(class_names: Sequence[str]) -> Mapping[str, Any]:
    import highdicom as hd

    return {name: hd.sr.CodedConcept(f"C{number}", SCHEME, name[:64]) for number, name in enumerate(class_names)}
