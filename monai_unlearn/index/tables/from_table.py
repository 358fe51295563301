"""An index of metadata alone: one row of a CSV or Parquet file an image, read and typed by DuckDB, no file opened."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.store.base_columns import BASE_COLUMNS
from monai_unlearn.index.store.write import PartWriter, check_target, finish_index, part_schema
from monai_unlearn.index.tables.table_source import SourceColumn, opened_table
from monai_unlearn.index.tables.table_sql import cleaned, finite, from_text, literal, quoted, uid
from monai_unlearn.index.values import UIDS
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from monai_unlearn.index.store.store import Index

FORMAT = "table"
_IDENTITY = {"PatientID": "patient", "StudyInstanceUID": "study", "SeriesInstanceUID": "series"}
_LABEL_COLUMNS = ("label", "diagnosis", "class")
# What only an index knows of its images; a table's column of such a name would be taken for it.
_RESERVED = ("image_id", "format", "fault", "file_size", "file_mtime_ns")
_INVALID = {
    Kind.DATE: Fault.INVALID_DATE,
    Kind.DATETIME: Fault.INVALID_DATE,
    Kind.AGE: Fault.INVALID_AGE,
    Kind.NUMBER: Fault.INVALID_NUMBER,
}
_EXAMPLES = 5
_ROWS_A_BATCH = 50_000


@dataclass(frozen=True, kw_only=True)
class TableRequest:
    """Which table to index, and how.

    Attributes:
        table: A CSV (`.csv`, `.tsv`) or Parquet file.
        id_column: The column that names each image.
        out: The folder of the index.
        rename: The name in the index of each column that is to be called otherwise, by the table's name.
        label: The column that carries the class; found by its name where null.
    """

    table: Path
    id_column: str
    out: Path
    rename: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """What became of a table.

    Attributes:
        index: The index, written.
        table: The file.
        faults: How many rows have each fault.
    """

    index: Index
    table: Path
    faults: Mapping[Fault, int]

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "index": str(self.index.directory),
            "digest": self.index.digest,
            "images": self.index.images,
            "rows": self.index.rows,
            "table": str(self.table),
            "label": self.index.label,
            "columns": {name: kind.value for name, kind in self.index.columns.items()},
            "faults": {fault.code: {"count": count, "usable": fault.usable} for fault, count in self.faults.items()},
        }


@dataclass(frozen=True)
class _Column:
    """A column of the index.

    Attributes:
        name: Its name in the index.
        keyword: The DICOM keyword that it is read as, or its name.
        kind: The kind of its values.
        source: The table's column.
    """

    name: str
    keyword: str
    kind: Kind
    source: SourceColumn

    @property
    def fault(self) -> Fault | None:
        """What is wrong with a row whose value here is none."""
        if self.keyword in UIDS:
            return Fault.INVALID_UID
        return _INVALID.get(self.kind) if self.source.kind is Kind.TEXT else None

    def typed(self, raw: str) -> str:
        """Return the SQL of its values from those of the table."""
        if self.keyword in UIDS:
            return uid(raw)
        if self.source.kind is Kind.TEXT:
            return from_text(self.kind, raw)
        return finite(raw) if self.kind in {Kind.NUMBER, Kind.AGE} else f"CAST({raw} AS {_SQL[self.kind]})"

    def raw(self) -> str:
        """Return the SQL of the table's values, a text without its padding."""
        found = quoted(self.source.name)
        if self.source.kind is Kind.TEXT or self.kind is Kind.TEXT:
            return cleaned(f"CAST({found} AS VARCHAR)")
        return found


_SQL = {Kind.TEXT: "VARCHAR", Kind.DATE: "DATE", Kind.DATETIME: "TIMESTAMP"}


def parse_renames(given: Sequence[str]) -> dict[str, str]:
    """Read each `NEW=OLD` of a command line; the result has the new name of each old one.

    Raises:
        IndexReadError: One is not of this form, or renames a column again.
    """
    renames: dict[str, str] = {}
    for text in given:
        new, _, old = (part.strip() for part in text.partition("="))
        if not new or not old:
            raise IndexReadError(f"--rename {text}: expected NEW=OLD, such as ManufacturerModelName=scanner.")
        if old in renames:
            raise IndexReadError(f"--rename {text}: the column '{old}' has been renamed already.")
        renames[old] = new
    return renames


def index_table(request: TableRequest) -> TableReport:
    """Write the index of a table.

    A column of a DICOM keyword's name is read as that keyword: dates of DICOM or ISO 8601, ages such as `045Y`. A
    value that is none is null, and the row says so by its fault. PatientID, StudyInstanceUID and SeriesInstanceUID
    become patient, study and series. Every other column keeps its name, and the kind that all its values have.

    Raises:
        IndexReadError: The table cannot be read, lacks a column that is named, names one twice, has rows without an
            identifier or several with the same; or the folder holds something else. Nothing is written then.
    """
    check_target(request.out)
    request.out.parent.mkdir(parents=True, exist_ok=True)
    writer = PartWriter(request.out.parent / f".{request.out.name}.{secrets.token_hex(4)}.tmp")
    try:
        columns = _write_parts(request, writer)
        index = _finish(request, writer, columns)
    finally:
        shutil.rmtree(writer.stage, ignore_errors=True)
    faults = {fault: writer.faults[fault.code] for fault in Fault if fault.code in writer.faults}
    return TableReport(index=index, table=request.table, faults=faults)


def _write_parts(request: TableRequest, writer: PartWriter) -> list[_Column]:
    """Write the rows as they come, since a table need not fit into memory, and return the columns."""
    with opened_table(request.table) as table:
        if request.id_column not in table.columns:
            hint = did_you_mean(request.id_column, table.columns)
            raise IndexReadError(f"{request.table}: the table has no column '{request.id_column}'.{hint} See --id.")
        identifier = table.columns[request.id_column]
        columns = _columns(request, table.columns)
        _check_label(request, columns)
        _check_ids(table.connection, identifier, request)
        schema = part_schema({**BASE_COLUMNS, **_kinds(columns)})
        for batch in table.connection.sql(_statement(columns, identifier)).to_arrow_reader(_ROWS_A_BATCH):
            writer.write(pa.Table.from_batches([batch]).select(schema.names).cast(schema))
    writer.close()
    return columns


def _finish(request: TableRequest, writer: PartWriter, columns: Sequence[_Column]) -> Index:
    kinds = _kinds(columns)
    labels = [name for name in _LABEL_COLUMNS if name in kinds]
    document = {
        "label": request.label or (labels[0] if len(labels) == 1 else None),
        "units": {keyword: unit for keyword, unit in vocabulary().units.items() if keyword in kinds},
        "origins": dict.fromkeys(kinds, f"table:{request.table.name}"),
        "sources": [request.table.absolute().as_posix()],
        "patient_from": next((column.source.name for column in columns if column.name == "patient"), None),
    }
    return finish_index(writer, request.out, columns={**BASE_COLUMNS, **kinds}, document=document)


def _kinds(columns: Sequence[_Column]) -> dict[str, Kind]:
    """Return the kinds of the columns that not every index has."""
    return {column.name: column.kind for column in columns if column.name not in BASE_COLUMNS}


def _columns(request: TableRequest, sources: Mapping[str, SourceColumn]) -> list[_Column]:
    """Return the columns of the index, besides its identifier."""
    for old in request.rename:
        if old not in sources:
            raise IndexReadError(
                f"--rename {request.rename[old]}={old}: the table has no column '{old}'.{did_you_mean(old, sources)}"
            )
    columns: dict[str, _Column] = {}
    for column in _named(request, sources):
        key = column.name.lower()
        if key in columns or key in _RESERVED:
            raise IndexReadError(
                f"{request.table}: the column '{column.source.name}' would be a second '{column.name}' of the index, "
                "where upper and lower case are the same. Call it otherwise with --rename NEW=OLD."
            )
        columns[key] = column
    return list(columns.values())


def _named(request: TableRequest, sources: Mapping[str, SourceColumn]) -> Iterator[_Column]:
    known = vocabulary().dicom
    for name, source in sources.items():
        keyword = request.rename.get(name, name)
        role = _IDENTITY.get(keyword)
        if name == request.id_column and role is None:
            continue
        is_text = role is not None or keyword in {*_IDENTITY.values(), "path"}
        kind = Kind.TEXT if is_text else known.get(keyword, source.kind)
        if source.kind in {Kind.DATE, Kind.DATETIME} and kind in {Kind.NUMBER, Kind.AGE}:
            raise IndexReadError(
                f"{request.table}: the column '{name}' holds dates, and {keyword} is a number. "
                "Call it otherwise with --rename NEW=OLD."
            )
        yield _Column(role or keyword, keyword, kind, source)


def _check_ids(connection: duckdb.DuckDBPyConnection, source: SourceColumn, request: TableRequest) -> None:
    identifier = cleaned(f"CAST({quoted(source.name)} AS VARCHAR)")
    counted = f"SELECT count(*), count({identifier}), count(DISTINCT {identifier}) FROM source"  # noqa: S608 - quoted
    ((rows, present, different),) = connection.execute(counted).fetchall()
    where = f"{request.table}: expected column '{request.id_column}' to name each image"
    if not rows:
        raise IndexReadError(f"{request.table}: expected a table with a header and rows, got no rows.")
    if present < rows:
        numbers = _row_numbers(connection, f"{identifier} IS NULL")
        raise IndexReadError(f"{where}, got {rows - present} rows without a value: {numbers}. Name another with --id.")
    if different < rows:
        repeated = f"{identifier} IN (SELECT {identifier} FROM source GROUP BY 1 HAVING count(*) > 1)"  # noqa: S608
        numbers = _row_numbers(connection, repeated)
        raise IndexReadError(
            f"{where}, got {rows} rows of {different} different values: {numbers}. Name another with --id."
        )


def _row_numbers(connection: duckdb.DuckDBPyConnection, condition: str) -> str:
    found = connection.execute(
        f"SELECT number FROM (SELECT *, row_number() OVER () AS number FROM source) WHERE {condition} "  # noqa: S608
        f"ORDER BY number LIMIT {_EXAMPLES + 1}"
    ).fetchall()
    more = ", …" if len(found) > _EXAMPLES else ""
    return f"rows {', '.join(str(number) for (number,) in found[:_EXAMPLES])}{more} (counted from 1 below the header)"


def _statement(columns: Sequence[_Column], identifier: SourceColumn) -> str:
    """Return what selects the rows of the index: read, then typed, then judged."""
    ids = cleaned(f"CAST({quoted(identifier.name)} AS VARCHAR)")
    raw = [f"{ids} AS image_id", *(f"{column.raw()} AS raw_{number}" for number, column in enumerate(columns))]
    typed = ["*", *(f"{column.typed(f'raw_{number}')} AS typed_{number}" for number, column in enumerate(columns))]
    last = ["image_id", f"{literal(FORMAT)} AS format", f"{_fault(columns)} AS fault"]
    last += [f"typed_{number} AS {quoted(column.name)}" for number, column in enumerate(columns)]
    absent = set(BASE_COLUMNS) - {"image_id", "format", "fault"} - {column.name for column in columns}
    last += [f"NULL AS {quoted(name)}" for name in sorted(absent)]
    statement = f"SELECT {', '.join(raw)} FROM source"  # noqa: S608 - names are quoted, values literal
    for step in (typed, last):
        statement = f"SELECT {', '.join(step)} FROM ({statement})"  # noqa: S608
    return statement


def _fault(columns: Sequence[_Column]) -> str:
    """Return the SQL of each row's gravest fault."""
    cases = [
        (Fault.MISSING_PATIENT_ID, f"typed_{number} IS NULL")
        for number, column in enumerate(columns)
        if column.name == "patient"
    ]
    for fault in (Fault.INVALID_UID, Fault.INVALID_DATE, Fault.INVALID_AGE, Fault.INVALID_NUMBER):
        judged = [number for number, column in enumerate(columns) if column.fault is fault]
        cases += [(fault, f"raw_{number} IS NOT NULL AND typed_{number} IS NULL") for number in judged]
    whens = " ".join(f"WHEN {condition} THEN {literal(fault.code)}" for fault, condition in cases)
    return f"CASE {whens} END" if whens else "CAST(NULL AS VARCHAR)"


def _check_label(request: TableRequest, columns: Sequence[_Column]) -> None:
    names = [column.name for column in columns]
    if request.label is not None and request.label not in names:
        raise IndexReadError(
            f"--label {request.label}: the index has no such column.{did_you_mean(request.label, names)}"
        )
