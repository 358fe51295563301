"""Measures of DICOM measurement reports (PS3.16 TID 1500), read with highdicom.

A number is named after its concept, `vertical_palpebral_fissure`, with the side before it where one is stated. Where
the reports measure the same concept of the same side at several sites, of several findings or in several ways (a mean,
a maximum), these are named too: otherwise they would share a column.
"""

from __future__ import annotations

import io
import math
import struct
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pydicom import dcmread
from pydicom.filereader import read_file_meta_info

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures.dicom_seg import SOP_CLASSES as SEGMENTATIONS
from monai_unlearn.index.measures.labels import MaskLabels, plain_name
from monai_unlearn.index.measures.reading import FaultyMeasuresError, Measure, MeasureFault, Reading, Target
from monai_unlearn.index.readers.dicom import MAX_INFLATED, inflated, lenient_values
from monai_unlearn.vocabulary.units import known_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

KIND = "SR"
# Enhanced SR, Comprehensive SR, Comprehensive 3D SR Storage
SOP_CLASSES = ("1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.34")

# SNOMED CT (SCT) and its older spelling (SRT) for the sides (PS3.16 CID 244).
_SIDES = {"7771000": "left", "G-A101": "left", "24028007": "right", "G-A100": "right"}
# Of DCM: Series Instance UID, Source series for segmentation; Study Instance UID.
_SERIES, _STUDY = ("112002", "121232"), ("110180",)
# Data Set Trailing Padding (PS3.10 section 7.2), which may follow a data set.
_PADDING_TAG, _PADDING = 0xFFFCFFFC, b"last"


class Name(NamedTuple):
    """What a number is of, each part as it stands in a column's name, and empty where nothing is stated."""

    side: str
    site: str
    finding: str
    derivation: str
    concept: str


@dataclass(frozen=True)
class Reported:
    """A number of a report, before its column is known."""

    name: Name
    value: float
    unit: str
    target: Target


@dataclass(frozen=True)
class Report:
    """The numbers of a report, and what had to be left out."""

    numbers: tuple[Reported, ...]
    fault: MeasureFault | None = None


def read(path: Path) -> Report:
    """Read the numbers of a report.

    Raises:
        IndexReadError: highdicom is not installed.
        FaultyFileError: The file is deflated, and cut short or inflates to more than is accepted.
        FaultyMeasuresError: The file is cut short, too large, or no measurement report.
    """
    try:
        from highdicom.sr import Comprehensive3DSR, ComprehensiveSR, EnhancedSR, MeasurementReport
    except ModuleNotFoundError:
        raise IndexReadError(
            f"{path}: reading a DICOM measurement report takes highdicom, which is not installed. "
            "Install it with: pip install 'monai-unlearn[pacs]'"
        ) from None
    classes = dict(zip(SOP_CLASSES, (EnhancedSR, ComprehensiveSR, Comprehensive3DSR), strict=True))
    with lenient_values():
        dataset = _dataset(path)
        _smooth(dataset.ContentSequence, dataset)
        _drop_missing(dataset.ContentSequence)
        document = classes[str(dataset.SOPClassUID)].from_dataset(dataset, copy=False)
        if not isinstance(document.content, MeasurementReport):
            raise FaultyMeasuresError(MeasureFault.NO_MEASUREMENTS)
        found = list(_numbers(document))
    if not found:
        raise FaultyMeasuresError(MeasureFault.NO_MEASUREMENTS)
    numbers = tuple(number for number in found if _is_known(number.unit))
    return Report(numbers, MeasureFault.UNKNOWN_UNIT if len(numbers) < len(found) else None)


def settle(reports: Sequence[Report], _labels: MaskLabels) -> list[tuple[Reading, ...]]:
    """Return what each report says, its numbers named so that none of all reports share a column by mistake.

    Args:
        reports: All reports of a build.
    """
    names = _columns({number.name for report in reports for number in report.numbers})
    return [
        tuple(
            Reading((Measure(names[number.name], number.value, number.unit),), number.target, report.fault)
            for number in report.numbers
        )
        or (Reading((), Target(), report.fault),)
        for report in reports
    ]


def _columns(names: Iterable[Name]) -> dict[Name, str]:
    """Return each name's column: its side and concept, and of the rest what tells it from others of these."""
    alike: dict[tuple[str, str], list[Name]] = defaultdict(list)
    for name in names:
        alike[name.side, name.concept].append(name)
    return {name: _column(name, others) for others in alike.values() for name in others}


def _column(name: Name, others: Sequence[Name]) -> str:
    telling = [
        part if position in {0, len(name) - 1} or len({other[position] for other in others}) > 1 else ""
        for position, part in enumerate(name)
    ]
    column = "_".join(filter(None, telling)) or "measure"
    return f"measure_{column}" if column[0].isdigit() else column


def _is_known(unit: str) -> bool:
    try:
        return bool(known_unit(unit))
    except ValueError:
        return False


def _dataset(path: Path) -> Dataset:
    """Read a file that is whole.

    pydicom reads a file that is cut short without a word, even in the midst of a number. So an element of our own
    is put behind the content: only where the content is whole is it found again.
    """
    with path.open("rb") as stream:
        if path.stat().st_size > MAX_INFLATED:
            raise FaultyMeasuresError(MeasureFault.TOO_LARGE)
        if inflated(stream) is not None:
            return dcmread(path)  # the end of a deflated stream has been found
        stream.seek(0)
        content = stream.read()
    tag = struct.pack("<HH", _PADDING_TAG >> 16, _PADDING_TAG & 0xFFFF)
    kind = b"" if read_file_meta_info(path).TransferSyntaxUID.is_implicit_VR else b"OB\0\0"
    dataset = dcmread(io.BytesIO(content + tag + kind + struct.pack("<L", len(_PADDING)) + _PADDING))
    if _PADDING_TAG not in dataset or dataset[_PADDING_TAG].value != _PADDING:
        raise FaultyMeasuresError(Fault.TRUNCATED)
    return dataset


def _smooth(items: list[Dataset], root: Dataset) -> None:
    """Take what highdicom stumbles over out of content items and what is below them; in place.

    An image told by its place in the tree is put there itself. A number without a value goes: it is missing.
    """
    for position, item in enumerate(items):
        place = item.get("ReferencedContentItemIdentifier")
        found = None if place is None else _at(root, place)
        if found is not None and found.get("ValueType") == "IMAGE":
            items[position] = _without_content(found)
            items[position].RelationshipType = item.RelationshipType
        _smooth(item.get("ContentSequence") or [], root)


def _drop_missing(items: list[Dataset]) -> None:
    items[:] = [item for item in items if item.get("ValueType") != "NUM" or item.get("MeasuredValueSequence")]
    for item in items:
        _drop_missing(item.get("ContentSequence") or [])


def _without_content(item: Dataset) -> Dataset:
    """Return a copy of an item without what is below it, so that no circle of places can grow."""
    copied = type(item)(item)
    copied.pop("ContentSequence", None)
    return copied


def _at(root: Dataset, place: Any) -> Dataset:  # noqa: ANN401 - one number or several
    """Return the content item at a place: 1 is the root, and each further number one of the items below."""
    numbers = [place] if isinstance(place, int) else list(place)
    for number in numbers[1:]:
        root = root.ContentSequence[number - 1]
    return root


def _numbers(document: Any) -> Iterator[Reported]:  # noqa: ANN401 - highdicom's types are not looked at
    report = document.content
    groups = (
        *report.get_planar_roi_measurement_groups(),
        *report.get_volumetric_roi_measurement_groups(),
        *report.get_image_measurement_groups(),
    )
    evidence = _evidence(document)
    for group in groups:
        sites, finding = group.finding_sites, group.finding_type
        where = _references(group[0].get("ContentSequence") or ())
        target = evidence if where is None else where
        for number in group.get_measurements():
            if not math.isfinite(number.value):
                continue
            own = _references(number[0].get("ContentSequence") or ())
            yield Reported(
                name=_name(number, number.finding_sites or sites, finding),
                value=float(number.value),
                unit=str(number.unit.value),
                target=own or target,
            )


def _name(number: Any, sites: Sequence[Any], finding: Any) -> Name:  # noqa: ANN401 - highdicom's types are not looked at
    sides = {_side(site.laterality) for site in sites if site.laterality is not None}
    return Name(
        side="_".join(sorted(sides)),
        site="_".join(plain_name(site.value.meaning) for site in sites),
        finding=plain_name(finding.meaning) if finding is not None else "",
        derivation=plain_name(number.derivation.meaning) if number.derivation is not None else "",
        concept=plain_name(number.name.meaning),
    )


def _side(laterality: Any) -> str:  # noqa: ANN401 - highdicom's types are not looked at
    return _SIDES.get(laterality.value) or plain_name(laterality.meaning)


def _references(items: Iterable[Dataset]) -> Target | None:
    """Return the images that content items refer to; nothing where they refer to none.

    A target without images says that they refer to something else, such as a segmentation. What single numbers
    refer to is their own.
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
    """Yield content items and what is below them, but for numbers."""
    for item in items:
        if item.get("ValueType") != "NUM":
            yield item
            yield from _below(item.get("ContentSequence") or ())


def _evidence(document: Dataset) -> Target:
    """Return what the whole report is about: the images that it lists, or the series, or the studies."""
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
