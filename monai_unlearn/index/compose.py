"""From the rows of files to the index: tables and measures are joined, patients found, parts written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.assemble import Collected, Duplicates, assembled
from monai_unlearn.index.build_report import BuildReport
from monai_unlearn.index.column_roles import check_units, label_column, tag_units
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.identities import contradictions_of
from monai_unlearn.index.measures.measure_match import Measured
from monai_unlearn.index.patients import PatientSource
from monai_unlearn.index.pseudonyms import domain_of
from monai_unlearn.index.scan.decisions import PATH, Decisions
from monai_unlearn.index.scan.personal import is_telling
from monai_unlearn.index.store.digest import count_patients
from monai_unlearn.index.store.part_writer import PartWriter, named_by_content
from monai_unlearn.index.store.schema import BASE_COLUMNS, PIXEL_DIGEST, part_schema
from monai_unlearn.index.store.write import finish_index
from monai_unlearn.index.tables.join import Joiner
from monai_unlearn.index.tables.read_table import SourceTable, read_table
from monai_unlearn.index.tables.table_sides import with_sides
from monai_unlearn.index.usable import counted_faults, usable_array
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.laterality import LATERALITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from monai_unlearn.index.build_request import BuildRequest
    from monai_unlearn.index.identities import Identities
    from monai_unlearn.index.measures.labels import MaskLabels
    from monai_unlearn.index.scan.extra_tags import FoundTags
    from monai_unlearn.index.scan.plan import FileCounts
    from monai_unlearn.index.scan.read import Track
    from monai_unlearn.index.scan.workspace import Workspace
    from monai_unlearn.index.tables.join import Match


class Composition:
    """The second half of a build: joins tables and measures to the rows of files, and writes the index.

    Args:
        request: What the user asked for.
        ignored: How many listed files have no row.
        collected: The rows of all files.
        files: How the files compare with those of the last run.
        identities: The patients of the archive.
        tags: What the files have of the tags that the user asked for.
        further: Further entries of `index.json`.

    Raises:
        IndexReadError: A table cannot be joined, or the label, a unit or the patients refer to an unknown column.
    """

    def __init__(
        self,
        request: BuildRequest,
        ignored: int,
        collected: Collected,
        files: FileCounts,
        identities: Identities,
        tags: FoundTags,
        *,
        further: Mapping[str, Any] | None = None,
    ) -> None:
        self.request, self.collected, self.files, self.tags = request, collected, files, tags
        self.ignored, self.further = ignored, further or {}
        kinds = {**BASE_COLUMNS, **collected.tags, **request.scan.extra_tags.kinds}
        if request.scan.pixel_digest:
            kinds[PIXEL_DIGEST] = Kind.TEXT
        self._join = partial(Joiner, request.keys, kinds, tables=partial(_table, request))
        self.joiner = self._join()
        self.decisions = request.scan.decisions
        self.kinds = _chosen({**kinds, **self.joiner.kinds}, self.decisions)
        check_units(request.units, self.joiner.kinds)
        request.kept.check(self.joiner.kinds)
        units = {**tag_units(collected.tags), **request.units}
        self.units = {name: unit for name, unit in units.items() if name in self.kinds}
        of_tables = [name for name in self.joiner.kinds if name in self.kinds]
        self.label = label_column(request.label, self.kinds, of_tables=of_tables)
        self.patients = PatientSource.find(
            request.patient,
            self.joiner.kinds,
            has_dicom=collected.has_dicom,
            has_plain=collected.has_plain,
            identities=identities,
        )
        self.formats: Counter[str] = Counter()
        self.faults: dict[str, tuple[int, str]] = {}

    def finish(
        self,
        space: Workspace,
        duplicates: Duplicates,
        labels: MaskLabels,
        track: Track,
        *,
        connection: duckdb.DuckDBPyConnection,
    ) -> BuildReport:
        """Write the index in place of the one that its folder contains, and return what was done.

        Args:
            space: Where the run works.
            duplicates: The files that have the identifier of another.
            labels: The names of the labels of NIfTI masks.
            track: Passes files of measures to read through, and shows the progress.
            connection: A connection from `digest.engine`.

        Raises:
            IndexReadError: A table or a path of measures matches no image, or a measure cannot be added.
        """
        if self.patients.is_asked:
            noted = contradictions_of(connection, self._named_people(duplicates))
            self.patients = replace(self.patients, identities=noted)
        writer = self._write(PartWriter(space.stage), duplicates)
        matches = self.joiner.matches()
        request = self.request
        measured = self._measured(writer, labels, track) if request.measures else Measured()
        index = finish_index(
            writer,
            request.out,
            columns={**self.kinds, **dict.fromkeys(measured.units, Kind.NUMBER)},
            document=self._document(measured, matches, space),
            connection=connection,
        )
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
            tags=self.tags.document(request.scan.extra_tags.tags),
        )

    def _measured(self, writer: PartWriter, labels: MaskLabels, track: Track) -> Measured:
        from monai_unlearn.index.measures.measured import measured_parts  # it loads pandas

        request = self.request
        left_out = request.not_images
        return measured_parts(
            writer, self.collected, request.measures, labels, leave_out=left_out, track=track, kinds=self.kinds
        )

    def _document(self, measured: Measured, matches: Sequence[Match], space: Workspace) -> dict[str, Any]:
        """Return what `index.json` says beside columns, parts and digests."""
        request, pseudonyms = self.request, self.request.scan.pseudonyms
        of_columns = {name: origin for name, origin in self.joiner.origins.items() if name in self.kinds}
        return {
            "label": self.label,
            "units": {**self.units, **measured.units},
            "origins": {**of_columns, **measured.origins},
            "sources": [] if self._hides_paths else [path.absolute().as_posix() for path in request.sources],
            "patient_from": self.patients.origin,
            "built": request.built.isoformat(),
            "dates_shifted": self.collected.dates.are_shifted,
            "tags": self.decisions.remaining(request.scan.extra_tags.tags),
            "pseudonyms": None if pseudonyms is None else pseudonyms.fingerprint,
            "tables": [match.document() for match in matches],
            "measures": [] if self._hides_paths else [match.document() for match in measured.matches],
            "ignored": self.ignored,
            "files": self._keep_files(space),
            **self.further,
        }

    @property
    def _hides_paths(self) -> bool:
        return PATH in self.decisions.drop

    def _keep_files(self, space: Workspace) -> str | None:
        """Keep the rows of files for the next run, unless their paths are dropped; that run then reads all again."""
        if self._hides_paths:
            self.collected.files.unlink()
            return None
        return named_by_content(self.collected.files, space.stage)

    def _named_people(self, duplicates: Duplicates) -> Iterator[pa.Table]:
        """Yield what the images of patients that a table names say of them, before the rows are written."""
        joiner = self._join()
        for batch in assembled(self.collected, duplicates, derived=self.request.include_derived):
            columns = self.request.scan.extra_tags.columns(batch)
            rows, texts = joiner.add(columns, self.patients.column)
            if texts is not None:
                yield self.patients.people(rows, texts)

    def _write(self, writer: PartWriter, duplicates: Duplicates) -> PartWriter:
        schema, extra_tags = part_schema(self.kinds), self.request.scan.extra_tags
        for batch in assembled(self.collected, duplicates, derived=self.request.include_derived):
            rows, texts = self.joiner.add(extra_tags.columns(batch), self.patients.column)
            rows = self.collected.dates.noted(self.patients.apply(rows, texts))
            rows = with_sides(rows) if LATERALITY in self.joiner.kinds else rows
            self._count(rows)
            if self._hides_paths:
                rows = rows.set_column(rows.column_names.index(PATH), PATH, pa.nulls(rows.num_rows, pa.string()))
            writer.write(rows.select(schema.names).cast(schema))
        writer.close()
        return writer

    def _count(self, rows: pa.Table) -> None:
        for pair in rows["format"].filter(usable_array(rows["fault"])).value_counts().to_pylist():
            self.formats[pair["values"]] += pair["counts"]
        for pair in rows["faults"].drop_null().value_counts().to_pylist():
            example = rows["path"][pc.index(rows["faults"], pair["values"]).as_py()].as_py()
            for code in counted_faults(pair["values"]):
                count, path = self.faults.get(code, (0, example))
                self.faults[code] = (count + pair["counts"], path)


def _chosen(kinds: Mapping[str, Kind], decisions: Decisions) -> dict[str, Kind]:
    return {name: kinds[name] for name in decisions.remaining(kinds)}


def check_decisions(request: BuildRequest) -> None:
    """Refuse to read anything while a column that may identify people is undecided in a pseudonymised index.

    Raises:
        IndexReadError: A column is undecided, a column of the patient key is dropped, or a table cannot be read.
    """
    if request.scan.pseudonyms is None:
        return
    if needed := sorted(request.scan.decisions.drop.intersection(request.patient_key.fields)):
        raise IndexReadError(f"--drop {needed[0]}: --patient-key tells patients apart by it. Leave out one of the two.")
    columns: dict[str, Kind] = {}
    telling: list[str] = []
    for key in request.keys:
        table = read_table(key.table, delimiter=request.delimiter, kept=request.kept)
        own = {name: kind for name, kind in table.kinds.items() if name != request.patient}
        if key.matches_files(table):
            telling.append(key.column)
        else:
            own.pop(key.column, None)  # hashed, or the identifier of the image
        telling += [
            name
            for name, kind in own.items()
            if kind is Kind.TEXT and name != request.label and domain_of(name) is None and is_telling(table.texts[name])
        ]
        columns.update(own)
    request.scan.decisions.check(request.scan.extra_tags, columns, telling=telling)


def _table(request: BuildRequest, path: Path) -> SourceTable:
    """Read a table to join, with pseudonyms if the user asked for them."""
    table = read_table(path, delimiter=request.delimiter, kept=request.kept)
    pseudonyms = request.scan.pseudonyms
    key = next((key for key in request.keys if key.table == path), None)
    return table if pseudonyms is None else pseudonyms.table(table, patient=request.patient, key=key)
