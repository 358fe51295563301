"""Which DICOM objects are images, and which are derived from images or about them, by their SOP class.

A segmentation, a dose, a parametric map, a report or a plan is no image that a model was trained on as such; a cohort
of images leaves it out. Everything here follows from the SOP class alone (DICOM PS3.4 annex B.5).
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from monai_unlearn.strict_yaml import load

_STORAGE = "1.2.840.10008.5.1.4."
# For tables without a SOP class: the modalities of objects that are not images (DICOM PS3.3 section C.7.3.1.1.1).
# fmt: off
DERIVED_MODALITIES = frozenset(
    (
        "ANN", "AR", "ASMT", "AU", "CTPROTOCOL", "DOC", "ECG", "EEG", "EMG", "EOG", "EPS", "FID", "HC", "HD", "IOL",
        "KER", "KO", "LEN", "M3D", "OAM", "OPM", "OPV", "OSS", "PLAN", "POS", "PR", "REG", "RESP", "RTDOSE",
        "RTINTENT", "RTPLAN", "RTRAD", "RTRECORD", "RTSEGANN", "RTSTRUCT", "RWV", "SEG", "SMR", "SR", "SRF", "STAIN",
        "TEXTUREMAP", "VA", "XAPROTOCOL",
    )
)
# fmt: on
IMAGE_LIKE_MODALITIES = frozenset(("OPM", "RTDOSE", "SEG"))


def is_derived(sop_class: str) -> bool:
    """Return whether objects of a SOP class are derived from images, or about them; false if the class is unknown.

    >>> is_derived("1.2.840.10008.5.1.4.1.1.66.4"), is_derived("1.2.840.10008.5.1.4.1.1.2")  # Segmentation, CT
    (True, False)
    """
    return sop_class in _table()["derived"]


def is_image_like(sop_class: str) -> bool:
    """Return whether derived objects of a SOP class have pixels.

    >>> is_image_like("1.2.840.10008.5.1.4.1.1.66.4"), is_image_like("1.2.840.10008.5.1.4.1.1.88.33")  # SEG, SR
    (True, False)
    """
    return sop_class in _table()["image_like"]


def derived_classes() -> tuple[str, ...]:
    """Return every known SOP class of derived objects, sorted."""
    return tuple(sorted(_table()["derived"]))


@cache
def _table() -> dict[str, frozenset[str]]:
    """Return the shipped `sop_classes.yaml`, read once."""
    text = resources.files("monai_unlearn.vocabulary").joinpath("sop_classes.yaml").read_text(encoding="utf-8")
    content = load(text, source="sop_classes.yaml")
    return {name: frozenset(_STORAGE + suffix for suffix in suffixes) for name, suffixes in content.items()}
