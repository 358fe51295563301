"""What a reader of measures hands back: what was measured, in which unit, of which images."""

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
        name: The column that it belongs in.
        value: The number; null where there was nothing to measure.
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
    """What a file says of some images.

    Attributes:
        measures: What was measured.
        target: The images; null where the file's name says which.
        fault: What had to be left out.
    """

    measures: tuple[Measure, ...]
    target: Target | None = None
    fault: MeasureFault | None = None


class MeasureFault(Enum):
    """What can be wrong with a file of measures besides what can be wrong with any file.

    `sentence` says it to a person, as what follows a file's name.
    """

    NOT_MEASURES = ("not_measures", "is neither a NIfTI mask, a DICOM segmentation nor a DICOM measurement report")
    NOT_A_LABEL_MAP = (
        "not_a_label_map",
        "is no map of labels: more than three dimensions or 512 labels, or values that are no whole numbers from 0 on",
    )
    TOO_LARGE = (
        "too_large",
        "is larger than is accepted: 2^31 voxels, 2^26 in one plane, or 64 MiB of a report",
    )
    NO_SPACING = (
        "no_spacing",
        "does not say how large its pixels are, or how far apart the slices of a volume lie",
    )
    FRACTIONAL = ("fractional", "is a fractional segmentation; only BINARY and LABELMAP are measured")
    SAME_NAMES = ("same_names", "gives two segments names that lead to the same column, or one that leads to none")
    NO_MEASUREMENTS = ("no_measurements", "is no measurement report (TID 1500), or holds no number")
    UNKNOWN_UNIT = ("unknown_unit", "holds numbers in a unit that is not known; they are left out")

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence


class FaultyMeasuresError(Exception):
    """A file of measures has a fault."""

    def __init__(self, fault: MeasureFault | Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault
