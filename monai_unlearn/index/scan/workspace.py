"""Where a run stores its progress: next to the index, so that a killed run loses only the files it was reading.

    .NAME.unfinished/RUN/block-00000000.arrow  rows of files, sorted by path; renamed once complete
    .NAME.unfinished/RUN/stage/                 the future index

A run reuses the blocks of earlier unfinished runs, and removes them once its index is complete.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import schema
from monai_unlearn.locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from typing_extensions import Self

# Fewer rows than this are not worth leaving a folder behind.
WORTH_KEEPING = 1_000
_BLOCK = "block-*.arrow"
NOTES = b"notes"


class Workspace:
    """The folder of a run: created on entry, removed on exit, except for blocks worth keeping.

    While it is entered, no other run can build the same index.

    Attributes:
        folder: The folder.
        stage: The folder in it that becomes the index.

    Args:
        directory: The folder of the index.
        mark: The metadata of the blocks; only blocks with the same metadata are reused.
        worth_keeping: Fewer rows than this are not worth leaving a folder behind; None for `WORTH_KEEPING`.

    Raises:
        IndexReadError: When entered: another run is building the same index.
    """

    def __init__(self, directory: Path, mark: Mapping[str, str], *, worth_keeping: int | None = None) -> None:
        directory = directory.absolute()
        self._all = directory.parent / f".{directory.name}.unfinished"
        self.folder = self._all / secrets.token_hex(6)
        self.stage = self.folder / "stage"
        self._index = directory
        self._lock = self._all / "lock"
        self._held = ExitStack()
        self._schema = schema().with_metadata(mark)
        self._rows, self._worth_keeping = 0, WORTH_KEEPING if worth_keeping is None else worth_keeping

    def __enter__(self) -> Self:
        refusal = IndexReadError(
            f"{self._index}: another run is building this index. Wait until it has ended, then try again."
        )
        self._held.enter_context(locked(self._lock, refusal=refusal))
        self.stage.mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._leave(kind)
        finally:
            self._held.close()
            with suppress(OSError):  # it contains blocks that are kept, or no longer exists
                self._all.rmdir()

    def _leave(self, kind: type[BaseException] | None) -> None:
        if kind is None:
            for path in self._all.iterdir():
                if path != self._lock:
                    shutil.rmtree(path, ignore_errors=True)
            return
        if self._rows < self._worth_keeping:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        shutil.rmtree(self.stage, ignore_errors=True)
        for path in self.folder.iterdir():
            if not path.match(_BLOCK) and path.is_file():
                path.unlink()

    def add_block(self, number: int, rows: pa.Table, *, notes: str = "") -> None:
        """Store rows; they follow those of the blocks with lower numbers.

        Args:
            number: The number of the block.
            rows: The rows.
            notes: A text that the block has as the metadata `NOTES` of its schema.
        """
        path = self._block(number)
        unnamed = path.with_suffix(".tmp")
        schema = self._schema.with_metadata({**(self._schema.metadata or {}), NOTES: notes}) if notes else self._schema
        with pa.ipc.new_file(str(unnamed), schema) as writer:
            writer.write_table(rows.cast(schema))
        unnamed.replace(path)
        self._rows += rows.num_rows

    def block(self, number: int) -> pa.Table:
        """Return the rows of a block of this run."""
        with pa.OSFile(str(self._block(number))) as source, pa.ipc.open_file(source) as reader:
            return reader.read_all()

    def _block(self, number: int) -> Path:
        return self.folder / f"block-{number:08d}.arrow"

    def blocks(self) -> Iterator[pa.Table]:
        """Yield this run's blocks in order."""
        return self._blocks_of(self.folder)

    def earlier_runs(self) -> list[Iterator[pa.Table]]:
        """Return the blocks of each unfinished run, the latest run first."""
        others = [path for path in self._all.iterdir() if path.is_dir() and path != self.folder]
        others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return [self._blocks_of(path) for path in others]

    def _blocks_of(self, folder: Path) -> Iterator[pa.Table]:
        for path in sorted(folder.glob(_BLOCK)):
            try:
                with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as reader:
                    if not _without_notes(reader.schema).equals(self._schema, check_metadata=True):
                        continue
                    table = reader.read_all()
            except (OSError, pa.ArrowException):
                continue  # damaged: the files are read again
            yield table


def _without_notes(schema: pa.Schema) -> pa.Schema:
    kept = {name: value for name, value in (schema.metadata or {}).items() if name != NOTES}
    return schema.with_metadata(kept)
