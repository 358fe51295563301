"""Joining measures to images: files are read, named, matched, and what does not fit is counted and named."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.listing import Listed, list_files
from monai_unlearn.index.measures.columns import Columns
from monai_unlearn.index.measures.matching import Images
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault, Reading
from monai_unlearn.index.measures.registry import READERS, Reader, read_measures
from monai_unlearn.index.usable import usable_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.index.faults import Fault
    from monai_unlearn.index.measures.labels import MaskLabels
    from monai_unlearn.index.scan.scan import Track

_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class MeasureMatch:
    """How the files of one `--measures` met the images.

    Attributes:
        path: What was given.
        files: How many files of each kind were read.
        matched_files: How many of them are about an image of the index.
        unmatched_files: How many are not.
        unmatched_paths: The first of these.
        faults: For each fault how many files have it, and the first of them.
        images_with_measures: How many usable images were measured.
        images_without_measures: How many were not.
        columns: The columns that came of it.
        conflicts: How many values are missing because another file says otherwise.
        conflicting_columns: The columns that have such.
        conflicting_images: The paths of the first images that have such.
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

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Measured:
    """The rows with their measures.

    Attributes:
        frame: The rows of the index.
        units: The unit of each measure.
        origins: Where each comes from.
        matches: How the files met the images, one for each `--measures`.
    """

    frame: pd.DataFrame
    units: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    matches: tuple[MeasureMatch, ...] = ()


@dataclass(frozen=True)
class _File:
    """A file that was read, with the `--measures` that led to it."""

    given: Path
    listed: Listed
    reader: Reader
    content: Any


@dataclass
class _Tally:
    """What is counted of one `--measures` while its files are gone through."""

    kinds: Counter[str] = field(default_factory=Counter)
    matched: int = 0
    unmatched: list[str] = field(default_factory=list)
    faults: dict[MeasureFault | Fault, list[str]] = field(default_factory=dict)
    rows: set[int] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    conflicts: set[tuple[str, int]] = field(default_factory=set)
    is_repeated: bool = False  # a file was led to by an earlier path already


def refuse_overlap(measures: Sequence[Path], sources: Sequence[Path]) -> None:
    """Refuse measures that hold a source: what is given with --measures is never an image.

    Raises:
        IndexReadError: A path of measures is a source, or a folder above one.
    """
    for given in measures:
        for source in sources:
            if Path(os.path.realpath(source)).is_relative_to(os.path.realpath(given)):
                raise IndexReadError(
                    f"--measures {given}: this holds the source {source}, and files of measures are never images. "
                    "Give the files of measures, or a folder that holds nothing else."
                )


def join_measures(
    frame: pd.DataFrame, measures: Sequence[Path], labels: MaskLabels, *, leave_out: Sequence[Path] = (), track: Track
) -> Measured:
    """Add what the files of measures say to the rows that they are about.

    Args:
        frame: The rows, with `relative`.
        measures: Files and folders of NIfTI masks, DICOM segmentations and DICOM measurement reports.
        labels: The names of the labels of NIfTI masks.
        leave_out: Files and folders among them that hold no measures: tables, the index itself.
        track: Passes the files to read through, and shows how far they are.

    Raises:
        IndexReadError: A path is missing, a file named on its own is faulty, nothing under a path is about an image,
            a measure has the name of a column of the index, or is in units that do not fit together.
    """
    if not measures:
        return Measured(frame)
    tallies = {given: _Tally() for given in measures}
    files = _read(tallies, leave_out, track)
    images, columns = Images(frame), Columns()
    for file, readings in _settled(files, labels):
        _take(file, readings, tallies[file.given], images, columns)
    _refuse_taken(frame, columns)
    matches = tuple(_match(given, tallies[given], frame) for given in measures)
    return Measured(pd.concat([frame, columns.frame(frame)], axis=1), columns.units, columns.origins, matches)


def _read(tallies: dict[Path, _Tally], leave_out: Sequence[Path], track: Track) -> list[_File]:
    """Read every file once, in the order of the paths given, and count those that cannot be read."""
    listed: dict[str, tuple[Path, Listed]] = {}
    for given, tally in tallies.items():
        for file in list_files([given], leave_out=leave_out).files:
            first, _ = listed.setdefault(file.path, (given, file))
            tally.is_repeated |= first != given
    files = []
    for file in track([file for _, file in listed.values()]):
        given = listed[file.path][0]
        try:
            files.append(_File(given, file, *read_measures(file)))
        except FaultyMeasuresError as error:
            fault = error.fault
            if file.named:
                raise IndexReadError(
                    f"{file.path}: this file {fault.sentence} ({fault.code}). Nothing was written."
                ) from None
            tallies[given].faults.setdefault(fault, []).append(file.path)
    return files


def _settled(files: Sequence[_File], labels: MaskLabels) -> list[tuple[_File, tuple[Reading, ...]]]:
    """Return what each file says, in the order of the files; a kind's files are settled together."""
    readings: dict[str, tuple[Reading, ...]] = {}
    for reader in READERS:
        own = [file for file in files if file.reader is reader]
        settled = reader.settle([file.content for file in own], labels)
        readings.update((file.listed.path, found) for file, found in zip(own, settled, strict=True))
    return [(file, readings[file.listed.path]) for file in files]


def _take(file: _File, readings: Sequence[Reading], tally: _Tally, images: Images, columns: Columns) -> None:
    """Add what a file says to the columns, and count it."""
    tally.kinds[file.reader.kind] += 1
    origin = file.reader.kind if file.reader.sop_classes else f"mask:{file.given.absolute().name}"
    for fault in {reading.fault for reading in readings if reading.fault is not None}:
        tally.faults.setdefault(fault, []).append(file.listed.path)
    matched = False
    for reading in readings:
        rows = images.of(reading.target, file.listed)
        tally.rows |= rows
        matched |= bool(rows)
        for measure in reading.measures if rows else ():
            tally.columns.add(measure.name)
            tally.conflicts.update((measure.name, row) for row in columns.add(measure, rows, origin))
    if matched:
        tally.matched += 1
    else:
        tally.unmatched.append(file.listed.path)


def _refuse_taken(frame: pd.DataFrame, columns: Columns) -> None:
    # Names are compared without case, as the query engine does.
    taken = {str(name).lower(): str(name) for name in frame.columns}
    for name, origin in columns.origins.items():
        if name in taken:
            raise IndexReadError(
                f"The measure '{name}' ({origin}) has the name of a column that the index has already "
                f"('{taken[name]}'). Rename that column in its table, or the label with --mask-labels."
            )


def _match(given: Path, tally: _Tally, frame: pd.DataFrame) -> MeasureMatch:
    faults = {
        fault.code: {"count": len(paths), "example": paths[0], "sentence": fault.sentence}
        for fault, paths in sorted(tally.faults.items(), key=lambda item: item[0].code)
    }
    if not (tally.matched or tally.is_repeated):
        counts = ", ".join(f"{fault['count']} {code}" for code, fault in faults.items())
        raise IndexReadError(
            f"--measures {given}: no file is about an image of the index: {len(tally.unmatched)} match none"
            f"{', ' + counts if counts else ''}. A NIfTI mask needs the stem of its image's file, if wanted with _seg, "
            "_mask, _label or _dseg behind it; DICOM segmentations and reports refer to images by their UIDs."
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
