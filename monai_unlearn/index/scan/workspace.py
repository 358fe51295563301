"""Where a run keeps what it has done so far: beside the index, so that a killed run costs only what it was at.

    .NAME.unfinished/RUN/block-00000000.arrow  rows of files, sorted by path; written whole, then named
    .NAME.unfinished/RUN/stage/                 the index to be

A run uses the blocks of runs before it that were not finished, and removes them once its index stands.
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

# Reading fewer files than this again is quicker than it is to explain why something lies about.
WORTH_KEEPING = 1_000
_BLOCK = "block-*.arrow"


class Workspace:
    """The folder of a run, made when it is entered and gone when it is left, except for blocks worth keeping.

    Attributes:
        folder: The folder.
        stage: The folder in it that becomes the index.

    Entering it keeps other runs for the same index out until it is left.

    Args:
        directory: The folder of the index.
        mark: What rows must be marked with to be used, and are marked with when they are kept.

    Raises:
        IndexReadError: When entered: another run is building the same index.
    """

    def __init__(self, directory: Path, mark: Mapping[str, str]) -> None:
        directory = directory.absolute()
        self._all = directory.parent / f".{directory.name}.unfinished"
        self.folder = self._all / secrets.token_hex(6)
        self.stage = self.folder / "stage"
        self._index = directory
        self._lock = self._all / "lock"
        self._held = ExitStack()
        self._schema = schema().with_metadata(mark)
        self._rows = 0

    def __enter__(self) -> Self:
        refusal = IndexReadError(
            f"{self._index}: another run is building this index. Wait until it has ended, then run this again."
        )
        self._held.enter_context(locked(self._lock, refusal=refusal))
        self.stage.mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._leave(kind)
        finally:
            self._held.close()
            with suppress(OSError):  # blocks that are kept are in it, or it is gone
                self._all.rmdir()

    def _leave(self, kind: type[BaseException] | None) -> None:
        if kind is None:
            for path in self._all.iterdir():
                if path != self._lock:
                    shutil.rmtree(path, ignore_errors=True)
            return
        if self._rows < WORTH_KEEPING:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        shutil.rmtree(self.stage, ignore_errors=True)
        for path in self.folder.iterdir():
            if not path.match(_BLOCK) and path.is_file():
                path.unlink()

    def add_block(self, number: int, rows: pa.Table) -> None:
        """Keep rows, which come behind those of the blocks with lower numbers."""
        path = self.folder / f"block-{number:08d}.arrow"
        unnamed = path.with_suffix(".tmp")
        with pa.ipc.new_file(str(unnamed), self._schema) as writer:
            writer.write_table(rows.cast(self._schema))
        unnamed.replace(path)
        self._rows += rows.num_rows

    def blocks(self) -> Iterator[pa.Table]:
        """Yield this run's blocks in order."""
        return self._blocks_of(self.folder)

    def earlier_runs(self) -> list[Iterator[pa.Table]]:
        """Return the blocks of each run that was not finished, the last one first."""
        others = [path for path in self._all.iterdir() if path.is_dir() and path != self.folder]
        others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return [self._blocks_of(path) for path in others]

    def _blocks_of(self, folder: Path) -> Iterator[pa.Table]:
        for path in sorted(folder.glob(_BLOCK)):
            try:
                with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as reader:
                    if not reader.schema.equals(self._schema, check_metadata=True):
                        continue
                    table = reader.read_all()
            except (OSError, pa.ArrowException):
                continue  # damaged: its files are read again
            yield table
