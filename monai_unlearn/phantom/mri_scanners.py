"""The three scanners of the MR phantoms: manufacturer, sites and image quality."""

from __future__ import annotations

from dataclasses import dataclass

from monai_unlearn.phantom.devices import Station


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """An MR scanner model, with the attributes that DICOM records (PS3.3 C.7.5.1, C.8.3.1).

    Attributes:
        manufacturer: Manufacturer.
        model: ManufacturerModelName.
        field_strength: MagneticFieldStrength, in T.
        repetition_time: RepetitionTime, in ms.
        echo_time: EchoTime, in ms.
        stations: The scanners of this model.
        scale: The stored value of the brightest tissue; MR intensities have no unit.
        enhancement: How much contrast agent brightens a tumour, 0 to 1.
        contrast: Exponent of the tone curve.
        noise: Standard deviation of the noise in each channel, as a share of the brightest tissue.
        blur: Standard deviation of the point spread, in mm.
        shading: How much darker the far side of the head is than the near one, 0 to 1.
    """

    manufacturer: str
    model: str
    field_strength: float
    repetition_time: float
    echo_time: float
    stations: tuple[Station, ...]
    scale: float
    enhancement: float
    contrast: float
    noise: float
    blur: float
    shading: float


_NORTH, _SOUTH, _HARBOUR = "Phantom Brain Clinic North", "Phantom Brain Clinic South", "Phantom Harbour Hospital"

# An old low-field scanner: noisy, soft, unevenly bright, and contrast agent shows less. How much its slices
# differ decides how badly a model that has never seen them classifies them.
ACHIEVA = Scanner(
    manufacturer="Philips Medical Systems",
    model="Achieva",
    field_strength=1.5,
    repetition_time=600.0,
    echo_time=15.0,
    stations=(Station("ACHIEVA-01", _HARBOUR, "17042", "2.6.3"), Station("ACHIEVA-02", _SOUTH, "17311", "3.2.1")),
    scale=1400.0,
    enhancement=0.85,
    contrast=0.78,
    noise=0.055,
    blur=1.6,
    shading=0.5,
)
MR750 = Scanner(
    manufacturer="GE MEDICAL SYSTEMS",
    model="DISCOVERY MR750",
    field_strength=3.0,
    repetition_time=8.2,
    echo_time=3.2,
    stations=(
        Station("MR750-01", _NORTH, "00312MR750", "24.0_M4"),
        Station("MR750-02", _SOUTH, "00347MR750", "25.1_R2"),
    ),
    scale=3600.0,
    enhancement=1.0,
    contrast=1.05,
    noise=0.022,
    blur=0.8,
    shading=0.20,
)
SKYRA = Scanner(
    manufacturer="SIEMENS",
    model="Skyra",
    field_strength=3.0,
    repetition_time=2300.0,
    echo_time=2.9,
    stations=(
        Station("SKYRA-01", _NORTH, "45117", "syngo MR E11"),
        Station("SKYRA-02", _HARBOUR, "45290", "syngo MR E11"),
    ),
    scale=800.0,
    enhancement=0.95,
    contrast=1.0,
    noise=0.018,
    blur=0.7,
    shading=0.12,
)
SCANNERS = (ACHIEVA, MR750, SKYRA)
