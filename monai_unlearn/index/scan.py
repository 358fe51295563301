"""Reading the listed files: new and changed ones from disk, the others from what the last run kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn import __version__
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.readers import Row, file_columns, read_file
from monai_unlearn.index.store import read_document
from monai_unlearn.index.write import ARROW

Track = Callable[[Sequence[Listed]], Iterator[Listed]]

_ROWS_A_BATCH = 10_000
# What these faults say may change while the file's size and time stay.
_NEVER_REUSED = frozenset((Fault.PERMISSION_DENIED.code, Fault.UNREADABLE.code))


@dataclass(frozen=True)
class Scan:
    """What the files say, one row a file, sorted by path; and how the last run's rows fared."""

    files: pa.Table
    reused: int
    added: int
    changed: int
    vanished: int


def scan(listed: Sequence[Listed], *, previous: pa.Table | None, track: Track) -> Scan:
    """Read every listed file that the last run has not read as it is now.

    Args:
        listed: The files, sorted by path.
        previous: What the last run kept.
        track: Passes the files to read through, and shows how far they are.
    """
    table = _schema().empty_table() if previous is None else previous
    known = {path: position for position, path in enumerate(table["path"].to_pylist())}
    sizes, times, faults = (table[name].to_pylist() for name in ("file_size", "file_mtime_ns", "fault"))

    def is_same(file: Listed) -> bool:
        position = known.get(file.path)
        return position is not None and (file.size, file.mtime_ns) == (sizes[position], times[position])

    same = [file for file in listed if is_same(file)]
    kept = {file.path: known[file.path] for file in same if faults[known[file.path]] not in _NEVER_REUSED}
    fresh = [file for file in listed if file.path not in kept]
    seen = sum(file.path in known for file in listed)
    return Scan(
        files=pa.concat_tables([table.take(pa.array(kept.values(), pa.int64())), *_read(fresh, track)]).sort_by("path"),
        reused=len(same),
        added=len(listed) - seen,
        changed=seen - len(same),
        vanished=len(known) - seen,
    )


def kept_files(directory: Path) -> pa.Table | None:
    """Return what the index in a folder keeps of its files, where this version of the package wrote it."""
    try:
        document = read_document(directory)
        if document.get("tool_version") != __version__:
            return None
        table = pq.read_table(directory / str(document.get("files")))
    except (IndexReadError, OSError, pa.ArrowException):
        return None  # there is nothing to reuse: every file is read
    return table if table.schema.equals(_schema()) else None


def _read(files: Sequence[Listed], track: Track) -> Iterator[pa.Table]:
    batch: list[dict[str, Any]] = []
    for file in track(files):
        row: Row = {"fault": file.fault.code} if file.fault else read_file(Path(file.path))
        batch.append({**row, "path": file.path, "file_size": file.size, "file_mtime_ns": file.mtime_ns})
        if len(batch) == _ROWS_A_BATCH:
            yield pa.Table.from_pylist(batch, schema=_schema())
            batch.clear()
    yield pa.Table.from_pylist(batch, schema=_schema())


@cache
def _schema() -> pa.Schema:
    columns = {"path": pa.string(), "file_size": pa.int64(), "file_mtime_ns": pa.int64()}
    return pa.schema({**columns, **{name: ARROW[kind] for name, kind in file_columns().items()}})
