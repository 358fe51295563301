"""The two cameras of the fundus phantoms: manufacturer, sites and optics."""

from __future__ import annotations

from dataclasses import dataclass

from monai_unlearn.phantom.optics import CIRRUS_OPTICS, SPECTRALIS_OPTICS, Optics


@dataclass(frozen=True)
class Station:
    """One device of a model, at its site."""

    name: str
    institution: str
    serial_number: str
    software: str


@dataclass(frozen=True)
class Device:
    """A camera model, with the attributes that DICOM records (PS3.3 C.7.5.1, C.8.17.3).

    Attributes:
        manufacturer: Manufacturer.
        model: ManufacturerModelName.
        kind: The acquisition device type: code value, scheme and meaning, from CID 4202.
        stations: The cameras of this model.
        optics: How it renders a retina.
    """

    manufacturer: str
    model: str
    kind: tuple[str, str, str]
    stations: tuple[Station, ...]
    optics: Optics


_NORTH, _SOUTH, _HARBOUR = "Phantom Eye Clinic North", "Phantom Eye Clinic South", "Phantom Harbour Hospital"

CIRRUS = Device(
    manufacturer="Carl Zeiss Meditec",
    model="Cirrus 800 FA",
    kind=("409898007", "SCT", "Fundus Camera"),
    stations=(
        Station("CIRRUS-01", _NORTH, "800-10417", "9.5.0.8712"),
        Station("CIRRUS-02", _HARBOUR, "800-10933", "9.0.2.81"),
    ),
    optics=CIRRUS_OPTICS,
)
SPECTRALIS = Device(
    manufacturer="Heidelberg Engineering",
    model="Spectralis",
    kind=("392001008", "SCT", "Scanning Laser Ophthalmoscope"),
    stations=(
        Station("SPECTRALIS-01", _NORTH, "SPEC-02208", "6.8.3.0"),
        Station("SPECTRALIS-02", _SOUTH, "SPEC-03571", "6.9.5.0"),
        Station("SPECTRALIS-03", _HARBOUR, "SPEC-03610", "6.9.5.0"),
    ),
    optics=SPECTRALIS_OPTICS,
)
DEVICES = (CIRRUS, SPECTRALIS)
