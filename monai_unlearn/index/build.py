"""Building an index: list, read, assemble, join tables, check, write; each a stream over the one before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.assemble import (
    Collected,
    assembled,
    collect,
    find_duplicates,
    marked_missing_patients,
)
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Walk
from monai_unlearn.index.measures import MaskLabels, MeasureMatch, refuse_overlap
from monai_unlearn.index.measures.measured import measured_parts
from monai_unlearn.index.scan.scan import (
    Plan,
    Scan,
    ScanOptions,
    Track,
    all_rows,
    kept_files,
    make_plan,
    read_fresh,
    with_moves,
)
from monai_unlearn.index.scan.workspace import Workspace
from monai_unlearn.index.store.base_columns import BASE_COLUMNS
from monai_unlearn.index.store.digest import count_patients, engine
from monai_unlearn.index.store.write import PartWriter, check_target, finish_index, named_by_content, part_schema
from monai_unlearn.index.tables.join import Joiner, Key, Match
from monai_unlearn.index.tables.tables import SourceTable, read_table
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from monai_unlearn.index.store.store import Index

_PATIENT_COLUMNS = ("patient_id", "patient", "PatientID", "subject_id", "subject")
_LABEL_COLUMNS = ("label", "diagnosis", "class")


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """What to index, and how.

    Attributes:
        sources: Folders and files.
        out: The folder of the index.
        keys: The tables and how they are matched.
        label: The column that carries the class; found by its name where null.
        patient: The column of a table that names the patient of every image.
        units: The units of tables' columns.
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


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build did.

    Attributes:
        index: The index, written.
        patients: How many patients the usable images have.
        without_patient: How many usable images have none.
        formats: Usable images by format.
        faults: For each fault how many files have it, and one of their paths.
        ignored: How many files nobody would take for images were passed over.
        matches: How each table met the images.
        measures: How the files of each `--measures` did.
        label_found: Whether the label was found by its name rather than named.
        patient_from: The tag or column that patients come from.
        scan: How many files were reused, added, changed, moved, vanished.
    """

    index: Index
    patients: int
    without_patient: int
    formats: Mapping[str, int]
    faults: Mapping[Fault, tuple[int, str]]
    ignored: int
    matches: tuple[Match, ...]
    measures: tuple[MeasureMatch, ...]
    label_found: bool
    patient_from: str | None
    scan: Scan

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "index": str(self.index.directory),
            "digest": self.index.digest,
            "images": self.index.images,
            "rows": self.index.rows,
            "patients": self.patients,
            "images_without_patient": self.without_patient,
            "patient_from": self.patient_from,
            "formats": dict(self.formats),
            "faults": {
                fault.code: {"count": count, "example": path, "usable": fault.usable}
                for fault, (count, path) in self.faults.items()
            },
            "ignored": self.ignored,
            "label": self.index.label,
            "label_found": self.label_found,
            "tables": [match.document() for match in self.matches],
            "measures": [match.document() for match in self.measures],
            "units": dict(self.index.units),
            "files": self.scan.document(),
        }


def build(request: BuildRequest, *, track: Track) -> BuildReport:
    """Build the index that is asked for, reading only what is new or changed since the last time.

    Nothing is held for all files at once, except what `measures` need; so memory does not grow with their number.

    Args:
        request: What to index, and how.
        track: Passes the files to read through, and shows how far they are.

    Raises:
        IndexReadError: A source, table or measure cannot be used, no image is readable, a file named on its own
            is faulty, or the folder holds something else. Nothing is written then.
    """
    check_target(request.out)
    refuse_overlap(request.measures, request.sources)
    labels = MaskLabels() if request.mask_labels is None else MaskLabels.read(request.mask_labels)
    walk = Walk(request.sources, leave_out=[*_beside(request), *request.measures])
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
        return _Build(request, plan, collected, with_moves(plan.counts, moved)).finish(space, duplicates, labels, track)


def _beside(request: BuildRequest) -> list[Path]:
    """Return the files and folders that are no images, wherever they lie."""
    labels = [] if request.mask_labels is None else [request.mask_labels]
    return [request.out, *(key.table for key in request.keys), *labels]


class _Build:
    """The second half of a build: from what the files say to the index."""

    def __init__(self, request: BuildRequest, plan: Plan, collected: Collected, scan: Scan) -> None:
        self.request, self.collected, self.scan = request, collected, scan
        self.ignored = plan.passed_over + len(plan.files) - collected.rows
        self.kinds = {**BASE_COLUMNS, **collected.tags, **request.scan.extra_tags.kinds}
        self.joiner = Joiner(request.keys, self.kinds, tables=partial(_table, request))
        self.units = _units(request.units, self.joiner, collected)
        self.label = _label(request.label, self.joiner, self.kinds)
        self.patient_column, self.patient_from = _patients(request.patient, self.joiner, collected)
        self.formats: Counter[str] = Counter()
        self.faults: dict[str, tuple[int, str]] = {}

    def finish(
        self, space: Workspace, duplicates: npt.NDArray[np.int64], labels: MaskLabels, track: Track
    ) -> BuildReport:
        writer = self._write(PartWriter(space.stage), duplicates)
        matches = self.joiner.matches()
        request, pseudonyms = self.request, self.request.scan.pseudonyms
        kinds = {**self.kinds, **self.joiner.kinds}
        measured = measured_parts(
            writer, self.collected, request.measures, labels, leave_out=_beside(request), track=track, kinds=kinds
        )
        index = finish_index(
            writer,
            request.out,
            columns={**kinds, **dict.fromkeys(measured.units, Kind.NUMBER)},
            document={
                "label": self.label,
                "units": {**self.units, **measured.units},
                "origins": {**self.joiner.origins, **measured.origins},
                "sources": [path.absolute().as_posix() for path in request.sources],
                "patient_from": self.patient_from,
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
            patient_from=self.patient_from,
            scan=self.scan,
        )

    def _write(self, writer: PartWriter, duplicates: npt.NDArray[np.int64]) -> PartWriter:
        schema = part_schema({**self.kinds, **self.joiner.kinds})
        for batch in assembled(self.collected, duplicates):
            rows, texts = self.joiner.add(self.request.scan.extra_tags.columns(batch), self.patient_column)
            if texts is not None:
                rows = self._with_patients(rows, texts)
            rows = marked_missing_patients(rows)
            self._count(rows)
            writer.write(rows.select(schema.names).cast(schema))
        writer.close()
        return writer

    def _with_patients(self, rows: pa.Table, texts: pa.Array | pa.ChunkedArray) -> pa.Table:
        """Return rows with the patients that a table names.

        A column that is asked for names the patient of every image. One that is found by its name does so only
        for plain images, which have no other: identifiers of two origins are never mixed for DICOM.
        """
        if self.request.patient is None:
            is_dicom = pc.fill_null(pc.equal(rows["format"], "dicom"), False)  # noqa: FBT003 - what a null becomes
            texts = pc.if_else(is_dicom, rows["patient"], texts)
        return rows.set_column(rows.column_names.index("patient"), "patient", texts)

    def _count(self, rows: pa.Table) -> None:
        for pair in rows["format"].filter(usable_array(rows["fault"])).value_counts().to_pylist():
            self.formats[pair["values"]] += pair["counts"]
        for pair in rows["fault"].drop_null().value_counts().to_pylist():
            count, path = self.faults.get(pair["values"], (0, None))
            path = path or rows["path"][pc.index(rows["fault"], pair["values"]).as_py()].as_py()
            self.faults[pair["values"]] = (count + pair["counts"], path)


def _table(request: BuildRequest, path: Path) -> SourceTable:
    """Read a table that is joined, with pseudonyms where they are asked for."""
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


def _patients(asked: str | None, joiner: Joiner, collected: Collected) -> tuple[str | None, str | None]:
    """Return the column of a table that names patients, and all that they come from."""
    if asked is not None:
        if asked not in joiner.kinds:
            hint = did_you_mean(asked, joiner.kinds)
            raise IndexReadError(f"--patient {asked}: no table has this column.{hint}")
        return asked, asked
    found = next((name for name in _PATIENT_COLUMNS if name in joiner.kinds), None) if collected.has_plain else None
    origins = [name for name in ("PatientID" if collected.has_dicom else None, found) if name is not None]
    return found, ", ".join(origins) or None


def _label(asked: str | None, joined: Joiner, kinds: Mapping[str, Kind]) -> str | None:
    if asked is None:
        found = [name for name in joined.kinds if name in _LABEL_COLUMNS]
        return found[0] if len(found) == 1 else None
    names = {**kinds, **joined.kinds}
    if asked not in names:
        raise IndexReadError(f"--label {asked}: the index has no such column.{did_you_mean(asked, names)}")
    return asked


def pair_units(declared: Sequence[str]) -> dict[str, str]:
    """Read each `COLUMN=UNIT` of a command line.

    Raises:
        IndexReadError: One is not of this form, names an unknown unit, or names a column again.
    """
    from monai_unlearn.vocabulary.units import known_unit

    units: dict[str, str] = {}
    for text in declared:
        column, _, unit = (part.strip() for part in text.rpartition("="))
        if not column or not unit:
            raise IndexReadError(f"--unit {text}: expected COLUMN=UNIT, such as width=mm.")
        if column in units:
            raise IndexReadError(f"--unit {text}: the column '{column}' has been given a unit already.")
        try:
            units[column] = known_unit(unit)
        except ValueError as error:
            raise IndexReadError(f"--unit {text}: {error}. Write it as UCUM does: mm, mm2, ml, deg, %, 1.") from None
    return units


def _units(declared: Mapping[str, str], joined: Joiner, collected: Collected) -> dict[str, str]:
    """Return the units of the tables' columns that declare one, and of the DICOM keywords that have one."""
    for column in declared:
        if column not in joined.kinds:
            hint = did_you_mean(column, joined.kinds)
            raise IndexReadError(f"--unit {column}=…: no table has this column.{hint}")
        if joined.kinds[column] is not Kind.NUMBER:
            raise IndexReadError(
                f"--unit {column}=…: expected a column of numbers, got one of kind {joined.kinds[column].value}."
            )
    tags = collected.tags
    return {**{keyword: unit for keyword, unit in vocabulary().units.items() if keyword in tags}, **declared}
