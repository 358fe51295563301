"""Writing an index: the content digest, `index.json`, and a swap that is never half done."""

from __future__ import annotations

import json
import secrets
import shutil
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.plausible import today
from monai_unlearn.index.store.digest import SPILL, content_digest, engine
from monai_unlearn.index.store.file_digest import file_digest
from monai_unlearn.index.store.part_writer import PartWriter
from monai_unlearn.index.store.schema import BASE_COLUMNS, part_schema
from monai_unlearn.index.store.seal import sealed
from monai_unlearn.index.store.store import DOCUMENT, PARTS, SCHEMA_VERSION, Index
from monai_unlearn.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb
    import pandas as pd

    from monai_unlearn.vocabulary.fields import Kind


def write_index(
    frame: pd.DataFrame | pa.Table,
    directory: Path,
    *,
    kinds: Mapping[str, Kind],
    label: str | None = None,
    units: Mapping[str, str] | None = None,
    origins: Mapping[str, str] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Index:
    """Write rows as an index; an index that the folder already contains is replaced.

    The previous index remains usable until the new one is complete: parts have unique names, and `index.json`, which
    lists them, is replaced in one step.

    Args:
        frame: One row per image, as a pandas or Arrow table. `image_id` is required; other missing `BASE_COLUMNS`
            become null.
        directory: The folder to write: absent, empty, or an index.
        kinds: The kind of each column that is not one of `BASE_COLUMNS`.
        label: The column that contains the class.
        units: The unit of each column that declares one.
        origins: Where the values of a column come from.
        provenance: Further entries of `index.json`: `built`, `dates_shifted`, `sources`, `patient_from`, `tables`,
            `measures`, `ignored`.

    Raises:
        IndexReadError: The folder contains something other than an index, a row has no `image_id`, or a column has no
            kind or values that are not of its kind.
    """
    check_target(directory)
    columns = {**BASE_COLUMNS, **kinds}
    frame = _with_several(frame)
    table = _typed(frame, columns)
    directory.parent.mkdir(parents=True, exist_ok=True)
    stage = directory.parent / f".{directory.name}.{secrets.token_hex(4)}.tmp"
    try:
        writer = PartWriter(stage)
        writer.write(table)
        writer.close()
        document = {"label": label, "units": dict(units or {}), "origins": dict(origins or {}), **(provenance or {})}
        return finish_index(writer, directory, columns=columns, document=document)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def finish_index(
    writer: PartWriter,
    directory: Path,
    *,
    columns: Mapping[str, Kind],
    document: Mapping[str, Any],
    connection: duckdb.DuckDBPyConnection | None = None,
) -> Index:
    """Turn the written parts into the index of a folder; an index that it already contains is replaced.

    Args:
        writer: The parts, closed.
        directory: The folder.
        columns: Every column, with the kind of its values.
        document: Entries of `index.json`: `label`, `units`, `origins`, `built`, `dates_shifted`, `sources`,
            `patient_from`, `tables`, `measures`, `ignored`, `files`, `studies`.
        connection: A connection from `digest.engine`; null to open one.
    """
    with engine(writer.stage) if connection is None else nullcontext(connection) as opened:
        parts = [writer.stage / name for name in writer.parts]
        digest = content_digest(opened, parts, columns, document.get("units", {}))
    shutil.rmtree(writer.stage / SPILL, ignore_errors=True)
    whole = {
        "schema_version": SCHEMA_VERSION,
        "tool_version": __version__,
        "digest": digest,
        "built": today().isoformat(),
        "dates_shifted": False,
        "sources": [],
        "label": None,
        "patient_from": None,
        "columns": {name: kind.value for name, kind in columns.items()},
        "units": {},
        "origins": {},
        **writer.counts(),
        "tables": [],
        "measures": [],
        "ignored": 0,
        "files": None,
        **document,
        "parts": writer.parts,
    }
    files = [name for name in (*writer.parts, whole["files"], whole.get("studies")) if name]
    whole["digests"] = {name: file_digest(writer.stage / name) for name in files}
    text = json.dumps(sealed(whole), indent=2, ensure_ascii=False) + "\n"
    (writer.stage / DOCUMENT).write_text(text, encoding="utf-8")
    _publish(writer.stage, directory)
    return Index.open(directory, trust=True)  # its files were hashed a moment ago


def check_target(directory: Path) -> None:
    """Refuse a folder that contains something other than an index.

    Raises:
        IndexReadError: It is a file, or a folder with content but without `index.json`.
    """
    if directory.is_dir():
        if any(directory.iterdir()) and not (directory / DOCUMENT).is_file():
            raise IndexReadError(
                f"{directory}: expected a new folder or an index, got a folder with other content. "
                "Name another folder with --out."
            )
    elif directory.exists():
        raise IndexReadError(f"{directory}: expected a folder, got a file. Name another folder with --out.")


def _typed(frame: pd.DataFrame | pa.Table, columns: Mapping[str, Kind]) -> pa.Table:
    present = list(frame.column_names if isinstance(frame, pa.Table) else frame.columns)
    for name in present:
        if name not in columns:
            raise IndexReadError(f"The column '{name}' has no kind; name it in `kinds`.")
    if "image_id" not in present:
        raise IndexReadError("Every row of an index needs an `image_id`.")
    schema = part_schema(columns)
    arrays = [
        _column(frame[name], name, type_, columns[name]) if name in present else pa.nulls(len(frame), type_)
        for name, type_ in zip(schema.names, schema.types, strict=True)
    ]
    table = pa.table(arrays, schema=schema)
    if table["image_id"].null_count:
        raise IndexReadError("Every row of an index needs an `image_id`.")
    return table


def _with_several(frame: pd.DataFrame | pa.Table) -> pd.DataFrame | pa.Table:
    """Return rows with the columns that have several values, where only the one value is there."""
    for several, one in (("patient_ids", "patient"), ("faults", "fault")):
        if isinstance(frame, pa.Table):
            if one in frame.column_names and several not in frame.column_names:
                frame = frame.append_column(several, frame[one])
        elif one in frame.columns and several not in frame.columns:
            frame = frame.assign(**{several: frame[one]})
    return frame


def _column(
    values: pa.ChunkedArray | pd.Series[Any], name: str, type_: pa.DataType, kind: Kind
) -> pa.Array | pa.ChunkedArray:
    try:
        if isinstance(values, pa.ChunkedArray):
            return values.cast(type_)
        return pa.array(values, type=type_, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        raise IndexReadError(f"The column '{name}' has values that are not of kind {kind.value}.") from None


def _publish(stage: Path, directory: Path) -> None:
    if not directory.exists() or not any(directory.iterdir()):
        stage.replace(directory)
        return
    fresh = [path.relative_to(stage) for path in sorted(stage.rglob("*.parquet"))]
    for name in fresh:
        (directory / name).parent.mkdir(exist_ok=True)
        (stage / name).replace(directory / name)
    (stage / DOCUMENT).replace(directory / DOCUMENT)
    for path in [*directory.glob("*.parquet"), *(directory / PARTS).glob("*.parquet")]:
        if path.relative_to(directory) not in fresh:
            path.unlink()
