"""How the files of measures matched the images: counted file by file, then reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.usable import usable_mask
from monai_unlearn.vocabulary.privacy import handle_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from monai_unlearn.index.faults import Fault
    from monai_unlearn.index.measures.reading import MeasureFault

_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class MeasureMatch:
    """How the files of one `--measures` matched the images.

    Attributes:
        path: The path that the user gave.
        files: The number of files read, by kind.
        matched_files: How many of them are about an image of the index.
        unmatched_files: How many are not.
        unmatched_paths: The first of these.
        faults: For each fault the number of files that have it, and the first of them.
        images_with_measures: The number of usable images with a measure.
        images_without_measures: The number of usable images without one.
        columns: The columns of these measures.
        conflicts: The number of values that are missing because files contradict each other.
        conflicting_columns: The columns with such values.
        conflicting_images: The paths of the first images with such values.
    """

    path: str
    files: dict[str, int]
    matched_files: int
    unmatched_files: int
    unmatched_paths: tuple[str, ...]
    faults: dict[str, dict[str, Any]]
    images_with_measures: int
    images_without_measures: int
    columns: tuple[str, ...]
    conflicts: int
    conflicting_columns: tuple[str, ...]
    conflicting_images: tuple[str, ...]

    def without_paths(self) -> MeasureMatch:
        """Return this with handles in place of the paths that were found: they may hold names of patients."""
        return replace(
            self,
            unmatched_paths=tuple(map(handle_of, self.unmatched_paths)),
            faults={code: {**fault, "example": handle_of(fault["example"])} for code, fault in self.faults.items()},
            conflicting_images=tuple(map(handle_of, self.conflicting_images)),
        )

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return asdict(self)


@dataclass(frozen=True)
class Measured:
    """The rows with their measures.

    Attributes:
        frame: The rows of the index; null where there are no measures to add.
        units: The unit of each measure.
        origins: Where each measure comes from.
        matches: How the files matched the images, one for each `--measures`.
    """

    frame: pd.DataFrame | None = None
    units: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    matches: tuple[MeasureMatch, ...] = ()


@dataclass
class Tally:
    """The running counts for the files of one `--measures`."""

    kinds: Counter[str] = field(default_factory=Counter)
    matched: int = 0
    unmatched: list[str] = field(default_factory=list)
    faults: dict[MeasureFault | Fault, list[str]] = field(default_factory=dict)
    rows: set[int] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    conflicts: set[tuple[str, int]] = field(default_factory=set)
    is_repeated: bool = False  # an earlier --measures contains a file of this one


def match_of(given: Path, tally: Tally, frame: pd.DataFrame) -> MeasureMatch:
    """Return how the files of one `--measures` matched the images.

    Args:
        given: The path that the user gave.
        tally: The counts of its files.
        frame: The rows of the index.

    Raises:
        IndexReadError: None of its files is about an image of the index.
    """
    faults = {
        fault.code: {"count": len(paths), "example": paths[0], "sentence": fault.sentence}
        for fault, paths in sorted(tally.faults.items(), key=lambda item: item[0].code)
    }
    if not (tally.matched or tally.is_repeated):
        counts = ", ".join(f"{fault['count']} {code}" for code, fault in faults.items())
        raise IndexReadError(
            f"--measures {given}: no file is about an image of the index: {len(tally.unmatched)} match none"
            f"{', ' + counts if counts else ''}. A NIfTI mask needs the stem of its image's file, optionally followed "
            "by _seg, _mask, _label or _dseg; DICOM segmentations and reports refer to images by their UIDs."
        )
    conflicting = sorted({row for _, row in tally.conflicts})
    usable = int(usable_mask(frame).sum())
    return MeasureMatch(
        path=str(given),
        files=dict(sorted(tally.kinds.items())),
        matched_files=tally.matched,
        unmatched_files=len(tally.unmatched),
        unmatched_paths=tuple(tally.unmatched[:_EXAMPLES]),
        faults=faults,
        images_with_measures=len(tally.rows),
        images_without_measures=usable - len(tally.rows),
        columns=tuple(sorted(tally.columns)),
        conflicts=len(tally.conflicts),
        conflicting_columns=tuple(sorted({name for name, _ in tally.conflicts})),
        conflicting_images=tuple(str(frame["path"].iloc[row]) for row in conflicting[:_EXAMPLES]),
    )
