"""The listed files of a run, on disk: a list in memory would grow with their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FILES_A_BATCH = 10_000
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

    Args:
        path: The file to store them in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: list[Listed] = []
        self._length = 0
        self._writer = pa.ipc.new_file(str(path), _SCHEMA)

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

    def batches(self) -> Iterator[Sequence[Listed]]:
        """Yield the files, some thousands at a time."""
        with pa.OSFile(str(self._path)) as source, pa.ipc.open_file(source) as reader:
            for number in range(reader.num_record_batches):
                columns = reader.get_batch(number).to_pydict()
                faults = [None if code is None else Fault.of(code) for code in columns.pop("fault")]
                yield [Listed(*values) for values in zip(*columns.values(), faults, strict=True)]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Listed]:
        for batch in self.batches():
            yield from batch

    def _flush(self) -> None:
        if not self._held:
            return
        columns = dict(zip(Listed._fields, zip(*self._held, strict=True), strict=True))
        columns["fault"] = tuple(fault and fault.code for fault in columns["fault"])
        self._writer.write_batch(
            pa.record_batch([pa.array(columns[name], type_) for name, type_ in _fields()], schema=_SCHEMA)
        )
        self._held = []


def _fields() -> list[tuple[str, pa.DataType]]:
    return list(zip(_SCHEMA.names, _SCHEMA.types, strict=True))
