"""Measures of DICOM measurement reports (PS3.16 TID 1500), read with highdicom.

A number is named after its concept, such as `vertical_palpebral_fissure`, after the side if one is stated. If the
reports measure the same concept on the same side at several sites, of several findings or in several ways (a mean, a
maximum), the name includes these too: otherwise they would share a column.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.measures.labels import MaskLabels, plain_name
from monai_unlearn.index.measures.reading import FaultyMeasuresError, Measure, MeasureFault, Reading, Target
from monai_unlearn.index.measures.sr_dataset import read_report
from monai_unlearn.index.measures.sr_references import evidence, references
from monai_unlearn.index.readers.lenient import lenient_values
from monai_unlearn.vocabulary.units import known_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


KIND = "SR"
# Enhanced SR, Comprehensive SR, Comprehensive 3D SR Storage
SOP_CLASSES = ("1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.34")

# SNOMED CT (SCT) and its older spelling (SRT) for the sides (PS3.16 CID 244).
_SIDES = {"7771000": "left", "G-A101": "left", "24028007": "right", "G-A100": "right"}


class Name(NamedTuple):
    """What a number measures: each part as it appears in the name of a column, empty if it is not stated."""

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
    """The numbers of a report, and the fault of those that were left out."""

    numbers: tuple[Reported, ...]
    fault: MeasureFault | None = None


def read(path: Path) -> Report:
    """Read the numbers of a report.

    Raises:
        IndexReadError: highdicom is not installed.
        FaultyFileError: The file is deflated, and cut short or inflates to more than is accepted.
        FaultyMeasuresError: The file is cut short, too large, or not a measurement report.
    """
    try:
        from highdicom.sr import Comprehensive3DSR, ComprehensiveSR, EnhancedSR, MeasurementReport
    except ModuleNotFoundError:
        raise IndexReadError(
            f"{path}: reading a DICOM measurement report requires highdicom, which is not installed. "
            "Install it with: pip install 'monai-unlearn[pacs]'"
        ) from None
    classes = dict(zip(SOP_CLASSES, (EnhancedSR, ComprehensiveSR, Comprehensive3DSR), strict=True))
    with lenient_values():
        dataset = read_report(path)
        document = classes[str(dataset.SOPClassUID)].from_dataset(dataset, copy=False)
        if not isinstance(document.content, MeasurementReport):
            raise FaultyMeasuresError(MeasureFault.NO_MEASUREMENTS)
        found = list(_numbers(document))
    if not found:
        raise FaultyMeasuresError(MeasureFault.NO_MEASUREMENTS)
    numbers = tuple(number for number in found if _is_known(number.unit))
    return Report(numbers, MeasureFault.UNKNOWN_UNIT if len(numbers) < len(found) else None)


def settle(reports: Sequence[Report], _labels: MaskLabels) -> list[tuple[Reading, ...]]:
    """Return the readings of each report, with column names chosen over all reports, so that no two measures share one.

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
    """Return the column of each name: its side and concept, and the other parts if they distinguish it."""
    alike: dict[tuple[str, str], list[Name]] = defaultdict(list)
    for name in names:
        alike[name.side, name.concept].append(name)
    return {name: _column(name, others) for others in alike.values() for name in others}


def _column(name: Name, others: Sequence[Name]) -> str:
    parts = [
        part if position in {0, len(name) - 1} or len({other[position] for other in others}) > 1 else ""
        for position, part in enumerate(name)
    ]
    column = "_".join(filter(None, parts)) or "measure"
    return f"measure_{column}" if column[0].isdigit() else column


def _is_known(unit: str) -> bool:
    try:
        return bool(known_unit(unit))
    except ValueError:
        return False


def _numbers(document: Any) -> Iterator[Reported]:  # noqa: ANN401 - highdicom's types are not used
    report = document.content
    groups = (
        *report.get_planar_roi_measurement_groups(),
        *report.get_volumetric_roi_measurement_groups(),
        *report.get_image_measurement_groups(),
    )
    whole = evidence(document)
    for group in groups:
        sites, finding = group.finding_sites, group.finding_type
        where = references(group[0].get("ContentSequence") or ())
        target = whole if where is None else where
        for number in group.get_measurements():
            if not math.isfinite(number.value):
                continue
            own = references(number[0].get("ContentSequence") or ())
            yield Reported(
                name=_name(number, number.finding_sites or sites, finding),
                value=float(number.value),
                unit=str(number.unit.value),
                target=own or target,
            )


def _name(number: Any, sites: Sequence[Any], finding: Any) -> Name:  # noqa: ANN401 - highdicom's types are not used
    sides = {_side(site.laterality) for site in sites if site.laterality is not None}
    return Name(
        side="_".join(sorted(sides)),
        site="_".join(plain_name(site.value.meaning) for site in sites),
        finding=plain_name(finding.meaning) if finding is not None else "",
        derivation=plain_name(number.derivation.meaning) if number.derivation is not None else "",
        concept=plain_name(number.name.meaning),
    )


def _side(laterality: Any) -> str:  # noqa: ANN401 - highdicom's types are not used
    return _SIDES.get(laterality.value) or plain_name(laterality.meaning)
