"""Which images the content items of a DICOM report refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.measures.dicom_seg import SOP_CLASSES as SEGMENTATIONS
from monai_unlearn.index.measures.reading import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom.dataset import Dataset

# Of DCM: Series Instance UID, Source series for segmentation; Study Instance UID.
_SERIES, _STUDY = ("112002", "121232"), ("110180",)


def references(items: Iterable[Dataset]) -> Target | None:
    """Return the images that content items refer to; null if they refer to nothing.

    An empty target means that they refer to something else, such as a segmentation. References of single numbers are
    not followed here.
    """
    found: dict[str, set[str]] = {"images": set(), "series": set(), "studies": set()}
    refers = False
    for item in _below(items):
        for reference in item.get("ReferencedSOPSequence") or ():
            refers = True
            if item.ValueType == "IMAGE" and reference.ReferencedSOPClassUID not in SEGMENTATIONS:
                found["images"].add(str(reference.ReferencedSOPInstanceUID))
        if item.get("ValueType") == "UIDREF":
            code = item.ConceptNameCodeSequence[0].get("CodeValue")
            found["series"].update({str(item.UID)} if code in _SERIES else ())
            found["studies"].update({str(item.UID)} if code in _STUDY else ())
    if found["images"]:
        return Target(images=frozenset(found["images"]))
    if found["series"]:
        return Target(series=frozenset(found["series"]))
    return Target(studies=frozenset(found["studies"])) if refers or found["studies"] else None


def _below(items: Iterable[Dataset]) -> Iterator[Dataset]:
    """Yield content items and their descendants, except numbers."""
    for item in items:
        if item.get("ValueType") != "NUM":
            yield item
            yield from _below(item.get("ContentSequence") or ())


def evidence(document: Dataset) -> Target:
    """Return what the whole report is about: the images that it lists; otherwise the series, or the studies."""
    studies = list(document.get("CurrentRequestedProcedureEvidenceSequence") or ())
    series = [item for study in studies for item in study.get("ReferencedSeriesSequence") or ()]
    images = [item for one in series for item in one.get("ReferencedSOPSequence") or ()]
    if images:
        return Target(
            images=frozenset(
                str(item.ReferencedSOPInstanceUID) for item in images if item.ReferencedSOPClassUID not in SEGMENTATIONS
            )
        )
    if series:
        return Target(series=frozenset(str(item.SeriesInstanceUID) for item in series))
    return Target(studies=frozenset(str(item.StudyInstanceUID) for item in studies))
