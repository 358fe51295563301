"""Rows that earlier runs read, merged with the present files: two streams sorted by path, in constant memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.store.file_digest import file_digest
from monai_unlearn.index.store.store import read_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.index.listing import Listed

# These faults may pass while the size and time of the file stay the same.
_NEVER_REUSED = frozenset((Fault.PERMISSION_DENIED.code, Fault.SYMLINK_LOOP.code, Fault.UNREADABLE.code))


class PreviousRows:
    """Rows of files, sorted by path, to be asked for in that order.

    Attributes:
        rows: The number of rows passed so far.
        seen: How many of them belong to a file that was asked for, changed or not.

    Args:
        tables: The rows, table by table.
        is_fresh: Whether this run read them, so that every fault is up to date.
        on_unseen: Called with the rows of files that were not asked for.
    """

    def __init__(
        self,
        tables: Iterable[pa.Table],
        *,
        is_fresh: bool = False,
        on_unseen: Callable[[pa.Table], None] | None = None,
    ) -> None:
        self._tables = iter(tables)
        self._doubted = frozenset[str]() if is_fresh else _NEVER_REUSED
        self._on_unseen = on_unseen
        self._taken: list[int] = []
        self._full: list[pa.Table] = []
        self._table: pa.Table | None = None
        self._seen: list[int] = []
        self._at = self._end = 0
        self.rows = self.seen = 0
        self._next()

    def has(self, file: Listed) -> bool:
        """Return whether there is a row for this path, whether or not the file has changed; advance to it."""
        path = file.path
        while self._at < self._end and self._paths[self._at] < path:
            self._at += 1
            if self._at == self._end:
                self._next()
        if self._at == self._end or self._paths[self._at] != path:
            return False
        if self._seen[-1:] != [self._at]:
            self._seen.append(self._at)
        return True

    def is_same(self, file: Listed) -> bool:
        """Return whether the file that `has` just found has the size and time of its row."""
        at = self._at
        return (file.size, file.mtime_ns) == (self._sizes[at], self._times[at])

    def is_certain(self) -> bool:
        """Return whether the row of that file may be reused."""
        return self._faults[self._at] not in self._doubted

    def take(self) -> None:
        """Take the row of that file, for `taken`."""
        self._taken.append(self._at)

    def taken(self) -> list[pa.Table]:
        """Return the rows taken since the last call."""
        self._keep()
        full, self._full = self._full, []
        return full

    def finish(self) -> None:
        """Pass the remaining rows."""
        while self._at < self._end:
            self._next()

    def _keep(self) -> None:
        if self._taken and self._table is not None:
            self._full.append(self._table.take(self._taken))
        self._taken = []

    def _next(self) -> None:
        if self._table is not None:
            self._keep()
            self.seen += len(self._seen)
            if self._on_unseen is not None and len(self._seen) < self._end:
                seen = set(self._seen)
                self._on_unseen(self._table.take([row for row in range(self._end) if row not in seen]))
        self._table = next((table for table in self._tables if table.num_rows), None)
        self._at, self._end = 0, 0 if self._table is None else self._table.num_rows
        self._seen = []
        self.rows += self._end
        if self._table is not None:
            columns = (self._table[name].to_pylist() for name in ("path", "file_size", "file_mtime_ns", "fault"))
            self._paths, self._sizes, self._times, self._faults = columns


def kept_files(directory: Path, mark: Mapping[str, str]) -> Iterator[pa.Table] | None:
    """Return the rows of the files of the index in a folder, sorted by path; null if they cannot be reused.

    They cannot where the file of the rows is not the one that the index was written with.

    Args:
        directory: The folder.
        mark: The metadata that the rows must have.
    """
    try:
        document = read_document(directory)
        kept = directory / str(document.get("files"))
        if document.get("digests", {}).get(document.get("files")) != file_digest(kept):
            return None
        file = pq.ParquetFile(kept)
        if not file.schema_arrow.equals(schema().with_metadata(mark), check_metadata=True):
            file.close()
            return None
    except (IndexReadError, OSError, pa.ArrowException):
        return None  # every file is read again
    return _groups(file)


def _groups(file: pq.ParquetFile) -> Iterator[pa.Table]:
    with file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, use_threads=False)
