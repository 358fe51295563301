"""Building an index: list, read, assemble, join tables, check, write; each step streams over the one before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.assemble import Collected, assembled, collect
from monai_unlearn.index.build_report import BuildReport
from monai_unlearn.index.column_roles import check_units, label_column, tag_units
from monai_unlearn.index.duplicates import find_duplicates
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Walk
from monai_unlearn.index.measures import MaskLabels, refuse_overlap
from monai_unlearn.index.measures.measured import measured_parts
from monai_unlearn.index.patients import PatientSource
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.scan.plan import FileCounts, Plan, all_rows, make_plan
from monai_unlearn.index.scan.previous_rows import kept_files
from monai_unlearn.index.scan.read import Track, read_fresh
from monai_unlearn.index.scan.workspace import Workspace
from monai_unlearn.index.store.digest import count_patients, engine
from monai_unlearn.index.store.part_writer import PartWriter, named_by_content
from monai_unlearn.index.store.schema import BASE_COLUMNS, part_schema
from monai_unlearn.index.store.write import check_target, finish_index
from monai_unlearn.index.tables.join import Joiner
from monai_unlearn.index.tables.read_table import SourceTable, read_table
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from monai_unlearn.index.tables.key import Key


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """What to index, and how.

    Attributes:
        sources: Folders and files.
        out: The folder of the index.
        keys: The tables and how they are matched.
        label: The column that contains the class; found by its name if null.
        patient: The column of a table that names the patient of every image.
        units: The units of columns of tables.
        measures: Files and folders of NIfTI masks, DICOM segmentations and DICOM measurement reports.
        mask_labels: The file that names the labels of NIfTI masks.
        scan: How files are read.
    """

    sources: tuple[Path, ...]
    out: Path
    keys: tuple[Key, ...] = ()
    label: str | None = None
    patient: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[Path, ...] = ()
    mask_labels: Path | None = None
    scan: ScanOptions = field(default_factory=ScanOptions)

    @property
    def not_images(self) -> list[Path]:
        """Files and folders that are not images, wherever they are."""
        labels = [] if self.mask_labels is None else [self.mask_labels]
        return [self.out, *(key.table for key in self.keys), *labels]


def build(request: BuildRequest, *, track: Track) -> BuildReport:
    """Build an index; only files that are new or changed since the last build are read.

    Nothing is held in memory for all files at once, except what `measures` need; so memory does not grow with their
    number.

    Args:
        request: What to index, and how.
        track: Passes the files to read through, and shows the progress.

    Raises:
        IndexReadError: A source, table or measure cannot be used, no image is readable, a file that the user named is
            faulty, or the folder contains something else. Nothing is written then.
    """
    check_target(request.out)
    refuse_overlap(request.measures, request.sources)
    labels = MaskLabels() if request.mask_labels is None else MaskLabels.read(request.mask_labels)
    walk = Walk(request.sources, leave_out=[*request.not_images, *request.measures])
    mark = request.scan.mark
    with Workspace(request.out, mark) as space:
        plan = make_plan(walk, space, kept_files(request.out, mark))
        read_fresh(plan, space, options=request.scan, track=track)
        rows = all_rows(plan, space, kept_files(request.out, mark))
        collected = collect(rows, files=space.stage / "files.parquet", ids=space.folder / "ids.parquet", mark=mark)
        with engine(space.folder) as connection:
            duplicates = find_duplicates(connection, collected)
            moved = plan.moves.count(connection, collected.files) if plan.moves else 0
        _refuse_named_faults(collected, duplicates)
        _refuse_without_images(collected, request.sources)
        return _Build(request, plan, collected, plan.counts.with_moved(moved)).finish(space, duplicates, labels, track)


class _Build:
    """The second half of a build: from the rows of files to the index."""

    def __init__(self, request: BuildRequest, plan: Plan, collected: Collected, files: FileCounts) -> None:
        self.request, self.collected, self.files = request, collected, files
        self.ignored = plan.passed_over + len(plan.files) - collected.rows
        kinds = {**BASE_COLUMNS, **collected.tags, **request.scan.extra_tags.kinds}
        self.joiner = Joiner(request.keys, kinds, tables=partial(_table, request))
        self.kinds = {**kinds, **self.joiner.kinds}
        check_units(request.units, self.joiner.kinds)
        self.units = {**tag_units(collected.tags), **request.units}
        self.label = label_column(request.label, self.kinds, of_tables=self.joiner.kinds)
        self.patients = PatientSource.find(
            request.patient, self.joiner.kinds, has_dicom=collected.has_dicom, has_plain=collected.has_plain
        )
        self.formats: Counter[str] = Counter()
        self.faults: dict[str, tuple[int, str]] = {}

    def finish(
        self, space: Workspace, duplicates: npt.NDArray[np.int64], labels: MaskLabels, track: Track
    ) -> BuildReport:
        writer = self._write(PartWriter(space.stage), duplicates)
        matches = self.joiner.matches()
        request, pseudonyms = self.request, self.request.scan.pseudonyms
        measured = measured_parts(
            writer,
            self.collected,
            request.measures,
            labels,
            leave_out=request.not_images,
            track=track,
            kinds=self.kinds,
        )
        index = finish_index(
            writer,
            request.out,
            columns={**self.kinds, **dict.fromkeys(measured.units, Kind.NUMBER)},
            document={
                "label": self.label,
                "units": {**self.units, **measured.units},
                "origins": {**self.joiner.origins, **measured.origins},
                "sources": [path.absolute().as_posix() for path in request.sources],
                "patient_from": self.patients.origin,
                "pseudonyms": None if pseudonyms is None else pseudonyms.fingerprint,
                "tables": [match.document() for match in matches],
                "measures": [match.document() for match in measured.matches],
                "ignored": self.ignored,
                "files": named_by_content(self.collected.files, space.stage),
            },
        )
        with engine(space.folder) as connection:
            patients, without_patient = count_patients(connection, index.parts)
        return BuildReport(
            index=index,
            patients=patients,
            without_patient=without_patient,
            formats=dict(sorted(self.formats.items())),
            faults={fault: self.faults[fault.code] for fault in Fault if fault.code in self.faults},
            ignored=self.ignored,
            matches=matches,
            measures=measured.matches,
            label_found=request.label is None and self.label is not None,
            patient_from=self.patients.origin,
            files=self.files,
        )

    def _write(self, writer: PartWriter, duplicates: npt.NDArray[np.int64]) -> PartWriter:
        schema = part_schema(self.kinds)
        for batch in assembled(self.collected, duplicates):
            rows, texts = self.joiner.add(self.request.scan.extra_tags.columns(batch), self.patients.column)
            rows = self.patients.apply(rows, texts)
            self._count(rows)
            writer.write(rows.select(schema.names).cast(schema))
        writer.close()
        return writer

    def _count(self, rows: pa.Table) -> None:
        for pair in rows["format"].filter(usable_array(rows["fault"])).value_counts().to_pylist():
            self.formats[pair["values"]] += pair["counts"]
        for pair in rows["fault"].drop_null().value_counts().to_pylist():
            count, path = self.faults.get(pair["values"], (0, None))
            path = path or rows["path"][pc.index(rows["fault"], pair["values"]).as_py()].as_py()
            self.faults[pair["values"]] = (count + pair["counts"], path)


def _table(request: BuildRequest, path: Path) -> SourceTable:
    """Read a table to join, with pseudonyms if the user asked for them."""
    table = read_table(path)
    pseudonyms = request.scan.pseudonyms
    key = next((key for key in request.keys if key.table == path), None)
    return table if pseudonyms is None else pseudonyms.table(table, patient=request.patient, key=key)


def _refuse_named_faults(collected: Collected, duplicates: npt.NDArray[np.int64]) -> None:
    twice = set(duplicates.tolist()) if collected.named else set()
    for number, path, code in collected.named:
        fault = Fault.DUPLICATE_SOP_INSTANCE_UID if number in twice else code and Fault.of(code)
        if fault and not fault.usable:
            raise IndexReadError(f"{path}: this file {fault.sentence} ({fault.code}). Nothing was written.")


def _refuse_without_images(collected: Collected, sources: Sequence[Path]) -> None:
    if collected.usable:
        return
    where = ", ".join(map(str, sources))
    if not collected.rows:
        raise IndexReadError(f"{where}: expected DICOM, NIfTI, JPEG, PNG, TIFF or BMP images, found none.")
    faults = [fault.code for fault in Fault if fault.code in collected.faults]
    counts = ", ".join(f"{collected.faults[code]} {code}" for code in faults)
    raise IndexReadError(f"{where}: no image can be read: {counts}. The first file is {collected.first}.")
