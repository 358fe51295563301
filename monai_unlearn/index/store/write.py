"""The writing side of an index: typed Parquet parts, the content digest, and a swap that cannot tear."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn import __version__
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.base_columns import BASE_COLUMNS
from monai_unlearn.index.store.digest import SPILL, content_digest, engine
from monai_unlearn.index.store.store import DOCUMENT, PARTS, SCHEMA_VERSION, Index
from monai_unlearn.index.usable import is_usable
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

ROWS_A_PART = 100_000
# Whoever reads a part holds as many rows of it at once, on each of its threads.
_ROWS_A_GROUP = 25_000
# What DuckDB reads at once, column by column: the digest of a wide index is made within little memory.
_ROWS_A_GROUP = 20_000

ARROW = {
    Kind.TEXT: pa.string(),
    Kind.NUMBER: pa.float64(),
    Kind.AGE: pa.float64(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: pa.timestamp("us"),
}
# Nanoseconds since 1970 are more than a float can hold.
_WHOLE = ("file_size", "file_mtime_ns")


class PartWriter:
    """Writes rows as the parts of an index, in their order, and counts them; no more than one part is ever held.

    Attributes:
        stage: The folder that becomes the index.
        parts: The names of the parts so far.
        rows: How many rows there are so far.
        faults: How many of them have each fault.

    Args:
        stage: That folder.
    """

    def __init__(self, stage: Path) -> None:
        self.stage = stage
        self.parts: list[str] = []
        self.rows = 0
        self.faults: Counter[str] = Counter()
        self._held: list[pa.Table] = []
        self._holds = 0
        (stage / PARTS).mkdir(parents=True)

    def write(self, rows: pa.Table) -> None:
        """Add rows."""
        self.rows += rows.num_rows
        for pair in rows["fault"].drop_null().value_counts().to_pylist():
            self.faults[pair["values"]] += pair["counts"]
        while self._holds + rows.num_rows >= ROWS_A_PART:
            room = ROWS_A_PART - self._holds
            self._hold(rows.slice(0, room))
            rows = rows.slice(room)
            self._write_part()
        self._hold(rows)

    def close(self) -> None:
        """Write what is held; an index without rows has one part all the same."""
        if self._holds or (self._held and not self.parts):
            self._write_part()

    def _hold(self, rows: pa.Table) -> None:
        self._held.append(rows)
        self._holds += rows.num_rows

    def _write_part(self) -> None:
        stem = f"{PARTS}/part-{len(self.parts):05d}"
        path = self.stage / f"{stem}.parquet"
        pq.write_table(pa.concat_tables(self._held), path, compression="zstd", row_group_size=_ROWS_A_GROUP)
        self.parts.append(named_by_content(path, self.stage))
        self._held, self._holds = [], 0

    def counts(self) -> dict[str, Any]:
        """Return how many rows, images and faults there are, for `index.json`."""
        unusable = sum(number for code, number in self.faults.items() if not is_usable(code))
        return {"images": self.rows - unusable, "rows": self.rows, "faults": dict(sorted(self.faults.items()))}


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
    """Write rows as an index, in place of the one that the folder holds.

    The previous index stays usable until the new one is whole: parts have names of their own, and
    `index.json`, which names them, is replaced in one step.

    Args:
        frame: One row an image, of pandas or Arrow; `image_id` is required, others of `BASE_COLUMNS` become null.
        directory: The folder to write: absent, empty, or an index.
        kinds: The kind of each column besides `BASE_COLUMNS`.
        label: The column that carries the class.
        units: The unit of each column that declares one.
        origins: Where the values of a column come from.
        provenance: More for `index.json`: `sources`, `patient_from`, `tables`, `measures`, `ignored`.

    Raises:
        IndexReadError: The folder holds something else than an index, a row lacks its `image_id`, or a
            column has no kind or values that do not fit it.
    """
    check_target(directory)
    columns = {**BASE_COLUMNS, **kinds}
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
    writer: PartWriter, directory: Path, *, columns: Mapping[str, Kind], document: Mapping[str, Any]
) -> Index:
    """Make the written parts the index of a folder, in place of the one that it holds.

    Args:
        writer: The parts, closed.
        directory: The folder.
        columns: Every column, with the kind of its values.
        document: More for `index.json`: `label`, `units`, `origins`, `sources`, `patient_from`, `tables`, `measures`,
            `ignored`, `files`.
    """
    with engine(writer.stage) as connection:
        parts = [writer.stage / name for name in writer.parts]
        digest = content_digest(connection, parts, columns, document.get("units", {}))
    shutil.rmtree(writer.stage / SPILL, ignore_errors=True)
    whole = {
        "schema_version": SCHEMA_VERSION,
        "tool_version": __version__,
        "digest": digest,
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
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    (writer.stage / DOCUMENT).write_text(text, encoding="utf-8")
    _publish(writer.stage, directory)
    return Index.open(directory)


def check_target(directory: Path) -> None:
    """Refuse a folder that holds something else than an index.

    Raises:
        IndexReadError: It is a file, or a folder with content and no `index.json`.
    """
    if directory.is_dir():
        if any(directory.iterdir()) and not (directory / DOCUMENT).is_file():
            raise IndexReadError(
                f"{directory}: expected a new folder or an index, got a folder with other content. "
                "Name another folder with --out."
            )
    elif directory.exists():
        raise IndexReadError(f"{directory}: expected a folder, got a file. Name another folder with --out.")


def named_by_content(path: Path, stage: Path) -> str:
    """Put the beginning of a digest of its bytes into a file's name, and return the name within the stage.

    So a part of a new index never has the name of another part of the index that it replaces.
    """
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while piece := stream.read(1 << 20):
            digest.update(piece)
    named = path.with_name(f"{path.stem}-{digest.hexdigest()[:12]}{path.suffix}")
    path.replace(named)
    return named.relative_to(stage).as_posix()


def part_schema(columns: Mapping[str, Kind]) -> pa.Schema:
    """Return the types of an index's columns on disk."""
    return pa.schema({name: pa.int64() if name in _WHOLE else ARROW[kind] for name, kind in columns.items()})


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


def _column(
    values: pa.ChunkedArray | pd.Series[Any], name: str, type_: pa.DataType, kind: Kind
) -> pa.Array | pa.ChunkedArray:
    try:
        if isinstance(values, pa.ChunkedArray):
            return values.cast(type_)
        return pa.array(values, type=type_, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        raise IndexReadError(f"The column '{name}' holds values that are not of kind {kind.value}.") from None


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
