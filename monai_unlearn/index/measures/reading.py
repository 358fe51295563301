"""What a reader of measures returns: what was measured, in which unit, in which images."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monai_unlearn.index.faults import Fault


@dataclass(frozen=True)
class Measure:
    """One measured number.

    Attributes:
        name: The name of its column.
        value: The number; null if there was nothing to measure.
        unit: Its unit.
    """

    name: str
    value: float | None
    unit: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """Which images were measured: by their UIDs, or by those of their series or studies."""

    images: frozenset[str] = field(default_factory=frozenset)
    series: frozenset[str] = field(default_factory=frozenset)
    studies: frozenset[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.images or self.series or self.studies)


@dataclass(frozen=True)
class Reading:
    """What a file contains about some images.

    Attributes:
        measures: What was measured.
        target: The images; null to find them by the name of the file.
        fault: Why measures were left out, if any were.
    """

    measures: tuple[Measure, ...]
    target: Target | None = None
    fault: MeasureFault | None = None


class MeasureFault(Enum):
    """What can be wrong with a file of measures, beyond the faults of any file.

    `sentence` describes it to a person and follows the name of a file.
    """

    NOT_MEASURES = ("not_measures", "is neither a NIfTI mask, a DICOM segmentation nor a DICOM measurement report")
    NOT_A_LABEL_MAP = (
        "not_a_label_map",
        "is not a label map: it has more than three dimensions or 512 labels, or values other than 0, 1, 2, …",
    )
    TOO_LARGE = (
        "too_large",
        "is larger than is accepted: 2^31 voxels, 2^26 in one plane, or 64 MiB of a report",
    )
    NO_SPACING = (
        "no_spacing",
        "does not state the size of its pixels, or the distance between the slices of a volume",
    )
    FRACTIONAL = ("fractional", "is a fractional segmentation; only BINARY and LABELMAP are supported")
    SAME_NAMES = ("same_names", "has two segments whose names give the same column, or a segment whose name gives none")
    NO_MEASUREMENTS = ("no_measurements", "is not a measurement report (TID 1500), or contains no number")
    UNKNOWN_UNIT = ("unknown_unit", "contains numbers in an unknown unit; they are left out")

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence


class FaultyMeasuresError(Exception):
    """A file of measures has a fault."""

    def __init__(self, fault: MeasureFault | Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault
