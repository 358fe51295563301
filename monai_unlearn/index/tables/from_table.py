"""An index of metadata alone: one image per row of a CSV or Parquet file, read by DuckDB, without opening any image."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.column_roles import label_column, tag_units
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.notes import DateTally
from monai_unlearn.index.patient_key import PatientKey
from monai_unlearn.index.plausible import date_keywords, today
from monai_unlearn.index.store.part_writer import PartWriter
from monai_unlearn.index.store.schema import BASE_COLUMNS, part_schema
from monai_unlearn.index.store.write import check_target, finish_index
from monai_unlearn.index.tables.kept_words import KeptWords
from monai_unlearn.index.tables.opened_table import OpenedTable, SourceColumn, opened_table
from monai_unlearn.index.tables.table_columns import TableColumn, table_columns
from monai_unlearn.index.tables.table_people import TablePeople
from monai_unlearn.index.tables.table_sql import is_missing_word, quoted, word
from monai_unlearn.index.tables.table_statement import has_sides, identifier_sql, table_statement
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from monai_unlearn.index.store.store import Index
_EXAMPLES = 5
_ROWS_A_BATCH = 50_000


@dataclass(frozen=True, kw_only=True)
class TableRequest:
    """Which table to index, and how.

    Attributes:
        table: A CSV (`.csv`, `.tsv`) or Parquet file.
        id_column: The column that identifies each image.
        out: The folder of the index.
        rename: The new name of each column to rename, by the table's name.
        label: The column that contains the class; found by its name if null.
        patient_key: What makes two PatientIDs one patient.
        include_derived: Whether derived objects that have pixels, such as segmentations, count as images.
        built: The day of the build: a date after it is implausible.
        delimiter: What separates the values of a CSV; null for what its suffix says.
        kept: The words for a missing value that are values.
    """

    table: Path
    id_column: str
    out: Path
    rename: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None
    patient_key: PatientKey = field(default_factory=PatientKey)
    include_derived: bool = False
    built: dt.date = field(default_factory=today)
    delimiter: str | None = None
    kept: KeptWords = field(default_factory=KeptWords)


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """The index of a table.

    Attributes:
        index: The written index.
        table: The file.
        faults: The number of rows with each fault.
        missing: In how many rows a column has each word for a missing value, such as NULL, which became null.
    """

    index: Index
    table: Path
    faults: Mapping[Fault, int]
    missing: Mapping[str, Mapping[str, int]]

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return {
            "index": str(self.index.directory),
            "digest": self.index.digest,
            "images": self.index.images,
            "rows": self.index.rows,
            "table": str(self.table),
            "label": self.index.label,
            "columns": {name: kind.value for name, kind in self.index.columns.items()},
            "faults": {fault.code: {"count": count, "usable": fault.usable} for fault, count in self.faults.items()},
            "read_as_missing": {name: sum(words.values()) for name, words in self.missing.items()},
            "words_read_as_missing": {name: dict(words) for name, words in self.missing.items()},
        }


def parse_renames(given: Sequence[str]) -> dict[str, str]:
    """Parse each `NEW=OLD` of a command line; the result has the new name of each old one.

    Raises:
        IndexReadError: One does not have this form, or renames a column again.
    """
    renames: dict[str, str] = {}
    for text in given:
        new, _, old = (part.strip() for part in text.partition("="))
        if not new or not old:
            raise IndexReadError(f"--rename {text}: expected NEW=OLD, such as ManufacturerModelName=scanner.")
        if old in renames:
            raise IndexReadError(f"--rename {text}: the column '{old}' is already renamed.")
        renames[old] = new
    return renames


def index_table(request: TableRequest) -> TableReport:
    """Write the index of a table.

    A column with the name of a DICOM keyword is read as that keyword: dates in DICOM or ISO 8601 format, ages such as
    `045Y`. An invalid value is null, and the row has a fault. PatientID, StudyInstanceUID and SeriesInstanceUID become
    patient, study and series. Every other column keeps its name, and has the kind that all its values have.

    Raises:
        IndexReadError: The table cannot be read, lacks a named column, repeats a name, or has rows without an
            identifier or with the same identifier; or the folder contains something else. Nothing is written then.
    """
    check_target(request.out)
    request.out.parent.mkdir(parents=True, exist_ok=True)
    writer = PartWriter(request.out.parent / f".{request.out.name}.{secrets.token_hex(4)}.tmp")
    dates = DateTally(request.built)
    try:
        columns, label, missing = _write_parts(request, writer, dates)
        index = _finish(request, writer, columns, label, dates)
    finally:
        shutil.rmtree(writer.stage, ignore_errors=True)
    faults = {fault: writer.faults[fault.code] for fault in Fault if fault.code in writer.faults}
    return TableReport(index=index, table=request.table, faults=faults, missing=missing)


def _write_parts(
    request: TableRequest, writer: PartWriter, dates: DateTally
) -> tuple[list[TableColumn], str | None, Mapping[str, Mapping[str, int]]]:
    """Stream the rows, because a table may not fit into memory; return the columns, the label, and words for null."""
    kept = request.kept.renamed(request.rename)
    with opened_table(request.table, delimiter=request.delimiter, kept=kept) as table:
        kept.check(table.columns)
        identifier = _identifier(request, table)
        columns = table_columns(request.table, table.columns, id_column=request.id_column, rename=request.rename)
        kinds = _kinds(columns)
        label = label_column(request.label, [column.name for column in columns], of_tables=kinds)
        _check_ids(table.connection, identifier, request)
        schema = part_schema({**BASE_COLUMNS, **kinds})
        statement = table_statement(columns, identifier)
        people = TablePeople.find(
            table.connection,
            statement,
            columns,
            key=request.patient_key,
            include_derived=request.include_derived,
        )
        for rows in _batches(table.connection, _dates_of(statement, schema.names)):
            dates.add(rows)
        for rows in _batches(table.connection, statement):
            writer.write(dates.noted(people.apply(rows).select(schema.names).cast(schema)))
        missing = _missing(table.connection, columns)
    writer.close()
    return columns, label, missing


def _missing(connection: duckdb.DuckDBPyConnection, columns: Sequence[TableColumn]) -> dict[str, dict[str, int]]:
    """Return in how many rows a column has each word for a missing value, the most frequent first."""
    texts = [column for column in columns if column.source.is_spelled or column.source.kind is Kind.TEXT]
    conditions = [is_missing_word(quoted(column.source.name), column.source.kept) for column in texts]
    counts = [f"count(*) FILTER (WHERE {condition})" for condition in conditions]
    if not counts:
        return {}
    (found,) = connection.execute(f"SELECT {', '.join(counts)} FROM source").fetchall()  # noqa: S608 - quoted names
    words = {}
    for column, condition, count in zip(texts, conditions, found, strict=True):
        if count:
            spelled = f"SELECT {word(quoted(column.source.name))}, count(*) FROM source WHERE {condition}"  # noqa: S608 - quoted names
            words[column.name] = dict(connection.execute(f"{spelled} GROUP BY 1 ORDER BY 2 DESC, 1").fetchall())
    return words


def _batches(connection: duckdb.DuckDBPyConnection, statement: str) -> Iterator[pa.Table]:
    for batch in connection.sql(statement).to_arrow_reader(_ROWS_A_BATCH):
        yield pa.Table.from_batches([batch])


def _dates_of(statement: str, columns: Sequence[str]) -> str:
    """Return the statement that selects only what decides whether dates were shifted."""
    names = ", ".join(map(quoted, ["fault", "partial", *date_keywords(columns)]))
    return f"SELECT {names} FROM ({statement})"  # noqa: S608 - quoted names


def _identifier(request: TableRequest, table: OpenedTable) -> SourceColumn:
    if request.id_column not in table.columns:
        hint = did_you_mean(request.id_column, table.columns)
        raise IndexReadError(f"{request.table}: the table has no column '{request.id_column}'.{hint} See --id.")
    return table.columns[request.id_column]


def _finish(
    request: TableRequest,
    writer: PartWriter,
    columns: Sequence[TableColumn],
    label: str | None,
    dates: DateTally,
) -> Index:
    kinds = _kinds(columns)
    document = {
        "label": label,
        "units": tag_units(kinds),
        "origins": dict.fromkeys(kinds, f"table:{request.table.name}"),
        "built": request.built.isoformat(),
        "dates_shifted": dates.are_shifted,
        "sources": [request.table.absolute().as_posix()],
        "patient_from": _patient_from(request, columns),
    }
    return finish_index(writer, request.out, columns={**BASE_COLUMNS, **kinds}, document=document)


def _patient_from(request: TableRequest, columns: Sequence[TableColumn]) -> str | None:
    name = next((column.source.name for column in columns if column.name == "patient"), None)
    return None if name is None else ", ".join((name, *request.patient_key.fields[1:]))


def _kinds(columns: Sequence[TableColumn]) -> dict[str, Kind]:
    """Return the kinds of the columns that are not in every index."""
    kinds = {column.name: column.kind for column in columns if column.name not in BASE_COLUMNS}
    return {**kinds, **vocabulary().derived} if has_sides(columns) else kinds


def _check_ids(connection: duckdb.DuckDBPyConnection, source: SourceColumn, request: TableRequest) -> None:
    identifier = identifier_sql(source)
    counted = f"SELECT count(*), count({identifier}), count(DISTINCT {identifier}) FROM source"  # noqa: S608 - quoted
    ((rows, present, different),) = connection.execute(counted).fetchall()
    where = f"{request.table}: expected column '{request.id_column}' to identify each image"
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
