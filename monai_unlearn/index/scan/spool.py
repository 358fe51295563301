"""The listed files of a run, on disk: a list in memory would grow with their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FILES_A_BATCH = 5_000
_SCHEMA = pa.schema(
    {
        "path": pa.string(),
        "relative": pa.string(),
        "size": pa.int64(),
        "mtime_ns": pa.int64(),
        "named": pa.bool_(),
        "fault": pa.string(),
    }
)


class Spool:
    """Listed files, written once and read as often as needed.

    Whole batches can be read while more are written.

    Args:
        path: The file to store them in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: list[Listed] = []
        self._length = 0
        self._writer = pa.ipc.new_stream(str(path), _SCHEMA)

    def append(self, file: Listed) -> None:
        """Add a file."""
        self._held.append(file)
        self._length += 1
        if len(self._held) == FILES_A_BATCH:
            self._flush()

    def close(self) -> None:
        """Write the rest; nothing can be added afterwards."""
        self._flush()
        self._writer.close()

    def tables(self) -> Iterator[pa.Table]:
        """Yield the files as tables with the attributes of `Listed` as columns, some thousands of files at a time."""
        with pa.OSFile(str(self._path)) as source, pa.ipc.open_stream(source) as reader:
            for batch in reader:
                yield pa.Table.from_batches([batch])

    def batches(self) -> Iterator[Sequence[Listed]]:
        """Yield the files, some thousands at a time."""
        yield from map(as_listed, self.tables())

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Listed]:
        for batch in self.batches():
            yield from batch

    def _flush(self) -> None:
        if not self._held:
            return
        self._writer.write_table(as_table(self._held))
        self._held = []


def as_table(files: Sequence[Listed]) -> pa.Table:
    """Return files as a table with the attributes of `Listed` as columns; a fault is its code."""
    *columns, faults = zip(*files, strict=True) if files else ((),) * len(_SCHEMA)
    return pa.table([*columns, [fault and fault.code for fault in faults]], schema=_SCHEMA)


def as_listed(table: pa.Table) -> list[Listed]:
    """Return the files that `as_table` made a table of."""
    *columns, codes = table.to_pydict().values()
    faults = [None if code is None else Fault.of(code) for code in codes]
    return list(map(Listed, *columns, faults))
