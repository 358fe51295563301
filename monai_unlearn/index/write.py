"""The writing side of an index: typed Parquet parts, the content digest, and a swap that cannot tear."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from monai_unlearn import __version__
from monai_unlearn.errors import IndexReadError
from monai_unlearn.fields import Kind
from monai_unlearn.index.base_columns import BASE_COLUMNS
from monai_unlearn.index.faults import usable_faults
from monai_unlearn.index.store import DOCUMENT, PARTS, SCHEMA_VERSION, Index

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

ROWS_A_PART = 100_000

ARROW = {
    Kind.TEXT: pa.string(),
    Kind.NUMBER: pa.float64(),
    Kind.AGE: pa.float64(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: pa.timestamp("us"),
}
# Nanoseconds since 1970 are more than a float can hold.
_WHOLE = ("file_size", "file_mtime_ns")
# Where a file lies is not its content: the same images in another folder are the same index.
_NOT_CONTENT = ("path", *_WHOLE)


def write_index(
    frame: pd.DataFrame,
    directory: Path,
    *,
    kinds: Mapping[str, Kind],
    label: str | None = None,
    units: Mapping[str, str] | None = None,
    origins: Mapping[str, str] | None = None,
    provenance: Mapping[str, Any] | None = None,
    files: pa.Table | None = None,
) -> Index:
    """Write rows as an index, in place of the one that the folder holds.

    The previous index stays usable until the new one is whole: parts have names of their own, and
    `index.json`, which names them, is replaced in one step.

    Args:
        frame: One row an image; `image_id` is required, others of `BASE_COLUMNS` become null.
        directory: The folder to write: absent, empty, or an index.
        kinds: The kind of each column besides `BASE_COLUMNS`.
        label: The column that carries the class.
        units: The unit of each column that declares one.
        origins: Where the values of a column come from.
        provenance: More for `index.json`: `sources`, `patient_from`, `tables`, `measures`, `ignored`.
        files: What each file said, kept for the next run.

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
        stage.mkdir()
        document = {
            "schema_version": SCHEMA_VERSION,
            "tool_version": __version__,
            "digest": digest(table, units or {}),
            "sources": [],
            "label": label,
            "patient_from": None,
            "columns": {name: kind.value for name, kind in columns.items()},
            "units": dict(units or {}),
            "origins": dict(origins or {}),
            **_counts(table),
            "tables": [],
            "measures": [],
            "ignored": 0,
            **(provenance or {}),
            "parts": _write_parts(table, stage),
            "files": _write_file(files, stage, "files") if files is not None else None,
        }
        (stage / DOCUMENT).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _publish(stage, directory)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
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


def digest(table: pa.Table, units: Mapping[str, str]) -> str:
    """Return `sha256:…` of the rows' content and its units, whatever their order and wherever the files lie."""
    names = sorted(name for name in table.column_names if name not in _NOT_CONTENT)
    order = [("image_id", "ascending"), *((name, "ascending") for name in names if name != "image_id")]
    rows = table.select(names).sort_by(order)
    sink = _DigestSink()
    with pa.PythonFile(sink, mode="w") as stream:
        pa_csv.write_csv(rows, stream)
    if units:  # the same number in another unit is another size
        sink.hasher.update(json.dumps(dict(units), sort_keys=True).encode())
    return f"sha256:{sink.hasher.hexdigest()}"


class _DigestSink:
    """A file that only remembers the digest of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.hasher = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self.hasher.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""


def _typed(frame: pd.DataFrame, columns: Mapping[str, Kind]) -> pa.Table:
    for name in frame.columns:
        if name not in columns:
            raise IndexReadError(f"The column '{name}' has no kind; name it in `kinds`.")
    if "image_id" not in frame.columns or frame["image_id"].isna().any():
        raise IndexReadError("Every row of an index needs an `image_id`.")
    arrays = {}
    for name, kind in columns.items():
        type_ = pa.int64() if name in _WHOLE else ARROW[kind]
        try:
            arrays[name] = (
                pa.array(frame[name], type=type_, from_pandas=True)
                if name in frame.columns
                else pa.nulls(len(frame), type=type_)
            )
        except (pa.ArrowException, TypeError, ValueError):
            raise IndexReadError(f"The column '{name}' holds values that are not of kind {kind.value}.") from None
    return pa.table(arrays)


def _counts(table: pa.Table) -> dict[str, Any]:
    faults = {pair["values"]: pair["counts"] for pair in table["fault"].drop_null().value_counts().to_pylist()}
    unusable = sum(number for code, number in faults.items() if code not in usable_faults())
    return {
        "images": table.num_rows - unusable,
        "rows": table.num_rows,
        "faults": dict(sorted(faults.items())),
    }


def _write_parts(table: pa.Table, stage: Path) -> list[str]:
    (stage / PARTS).mkdir()
    starts = range(0, max(table.num_rows, 1), ROWS_A_PART)
    return [
        _write_file(table.slice(start, ROWS_A_PART), stage, f"{PARTS}/part-{number:05d}")
        for number, start in enumerate(starts)
    ]


def _write_file(table: pa.Table, stage: Path, stem: str) -> str:
    """Write one Parquet file and return its name, which holds a digest of its bytes.

    So a part of a new index never has the name of another part of the index that it replaces.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content = sink.getvalue()
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.parquet"
    (stage / name).write_bytes(content)
    return name


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
