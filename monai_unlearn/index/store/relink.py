"""Where the files of an index are, changed without changing the index: its content digest stays what it was."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.part_writer import PartWriter
from monai_unlearn.index.store.seal import SEAL
from monai_unlearn.index.store.store import Index, read_document
from monai_unlearn.index.store.write import finish_index

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Place = tuple[str, int | None, int | None]

# What `finish_index` states anew.
_STATED = frozenset(("columns", "parts", "digests", "digest", "images", "rows", "faults", SEAL))
_WHERE = ("path", "file_size", "file_mtime_ns")


def relink(directory: Path, places: Mapping[str, Place], *, further: Mapping[str, Any]) -> Index:
    """Let rows of an index say where their files are now.

    Args:
        directory: The folder of the index.
        places: The path of the file of an image, by `image_id`, with its size in bytes and time in nanoseconds; they
            are null for one that is not there yet.
        further: Entries of `index.json` to add or to replace.

    Raises:
        IndexReadError: The index cannot be read, or was changed.
    """
    index, document = Index.open(directory), read_document(directory)
    kept = {name: value for name, value in document.items() if name not in _STATED}
    stage = directory.parent / f".{directory.name}.{secrets.token_hex(4)}.tmp"
    try:
        writer = PartWriter(stage)
        for part in index.parts:
            for rows in pq.ParquetFile(part).iter_batches():
                writer.write(_relinked(pa.Table.from_batches([rows]), places))
        writer.close()
        for name in filter(None, (document.get("files"), document.get("studies"))):
            shutil.copyfile(directory / name, stage / name)
        written = finish_index(writer, directory, columns=index.columns, document={**kept, **further})
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    if written.digest != index.digest:
        raise IndexReadError(f"{directory}: the index changed while its files were linked. Build or pull it again.")
    return written


def _relinked(rows: pa.Table, places: Mapping[str, Place]) -> pa.Table:
    ids = rows["image_id"].to_pylist()
    columns = [rows[name].to_pylist() for name in _WHERE]
    for at, image in enumerate(ids):
        for column, value in zip(columns, places.get(image, ()), strict=False):
            column[at] = value
    for name, values in zip(_WHERE, columns, strict=True):
        position = rows.column_names.index(name)
        own = rows.schema.field(position)
        rows = rows.set_column(position, own, pa.array(values, own.type))
    return rows
