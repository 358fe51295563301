"""Joining measures to images: files are read and matched, and those that do not match are counted and reported."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.listing import Listed, list_files
from monai_unlearn.index.measures.columns import Columns
from monai_unlearn.index.measures.matching import Images
from monai_unlearn.index.measures.measure_match import Measured, Tally, match_of
from monai_unlearn.index.measures.reading import FaultyMeasuresError, Reading
from monai_unlearn.index.measures.registry import READERS, Reader, read_measures

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from monai_unlearn.index.measures.labels import MaskLabels
    from monai_unlearn.index.scan.read import Track


@dataclass(frozen=True)
class _File:
    """A file that was read, with the `--measures` that it belongs to."""

    given: Path
    listed: Listed
    reader: Reader
    content: Any


def refuse_overlap(measures: Sequence[Path], sources: Sequence[Path]) -> None:
    """Refuse measures that contain a source: files given with --measures are never images.

    Raises:
        IndexReadError: A path of measures is a source, or a folder above one.
    """
    for given in measures:
        for source in sources:
            if Path(os.path.realpath(source)).is_relative_to(os.path.realpath(given)):
                raise IndexReadError(
                    f"--measures {given}: this contains the source {source}, but files of measures are never images. "
                    "Give the files of measures, or a folder that contains nothing else."
                )


def join_measures(
    frame: pd.DataFrame, measures: Sequence[Path], labels: MaskLabels, *, leave_out: Sequence[Path] = (), track: Track
) -> Measured:
    """Add the measures of files to the rows that they are about.

    Args:
        frame: The rows, with `relative`.
        measures: Files and folders of NIfTI masks, DICOM segmentations and DICOM measurement reports.
        labels: The names of the labels of NIfTI masks.
        leave_out: Files and folders among them without measures: tables, the index itself.
        track: Passes the files to read through, and shows the progress.

    Raises:
        IndexReadError: A path is missing, a file that the user named is faulty, no file of a path is about an image,
            a measure has the name of a column of the index, or has units that cannot be converted.
    """
    import pandas as pd

    if not measures:
        return Measured(frame)
    tallies = {given: Tally() for given in measures}
    files = _read(tallies, leave_out, track)
    images, columns = Images(frame), Columns()
    for file, readings in _settled(files, labels):
        _take(file, readings, tallies[file.given], images, columns)
    _refuse_taken(frame, columns)
    matches = tuple(match_of(given, tallies[given], frame) for given in measures)
    return Measured(pd.concat([frame, columns.frame(frame)], axis=1), columns.units, columns.origins, matches)


def _read(tallies: dict[Path, Tally], leave_out: Sequence[Path], track: Track) -> list[_File]:
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
    """Return the readings of each file, in the order of the files; files of one kind are settled together."""
    readings: dict[str, tuple[Reading, ...]] = {}
    for reader in READERS:
        own = [file for file in files if file.reader is reader]
        settled = reader.settle([file.content for file in own], labels)
        readings.update((file.listed.path, found) for file, found in zip(own, settled, strict=True))
    return [(file, readings[file.listed.path]) for file in files]


def _take(file: _File, readings: Sequence[Reading], tally: Tally, images: Images, columns: Columns) -> None:
    """Add the readings of a file to the columns, and count it."""
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
    # Names are compared without case, as in the query engine.
    taken = {str(name).lower(): str(name) for name in frame.columns}
    for name, origin in columns.origins.items():
        if name in taken:
            raise IndexReadError(
                f"The index already has a column named '{taken[name]}', like the measure '{name}' ({origin}). "
                "Rename the column in its table, or the label with --mask-labels."
            )
