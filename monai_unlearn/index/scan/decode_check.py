"""Decoding the pixels of many files in worker processes, which damaged files may crash.

Decoders are written in C and C++. A worker that crashes or hangs costs its chunk, which is decoded again file by file;
the file that crashes its worker again gets a fault.
"""

from __future__ import annotations

import os
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.row_faults import with_fault
from monai_unlearn.index.scan.decode import decode_fault, has_decoder
from monai_unlearn.index.usable import is_usable
from monai_unlearn.safe_path import safe_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

_FILES_A_CHUNK = 32
_SECONDS_A_FILE = 60


class DecodeCheck:
    """Worker processes that decode the pixels of files; they are kept until the check is left.

    Args:
        workers: The number of processes; null for one per core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def rows(self, rows: pa.Table) -> pa.Table:
        """Return the rows of files, with a fault if the pixels of a usable image cannot be decoded.

        Args:
            rows: One row per file, with `path`, `format` and `fault`.
        """
        faults: list[str | None] = rows["fault"].to_pylist()
        paths, formats = rows["path"].to_pylist(), rows["format"].to_pylist()
        wanted = [
            at
            for at, fault in enumerate(faults)
            if is_usable(fault) and has_decoder(formats[at]) and paths[at] is not None
        ]
        found = self._check([(paths[at], formats[at]) for at in wanted])
        for fault in {fault for fault in found if fault is not None}:
            which = {at for at, of_file in zip(wanted, found, strict=True) if of_file is fault}
            rows = with_fault(rows, pa.array([at in which for at in range(rows.num_rows)]), fault)
        return rows

    def _check(self, files: Sequence[tuple[str, str]]) -> list[Fault | None]:
        chunks = [files[start : start + _FILES_A_CHUNK] for start in range(0, len(files), _FILES_A_CHUNK)]
        pending = [self._submit(chunk) for chunk in chunks]
        found: list[Fault | None] = []
        for at, chunk in enumerate(chunks):
            answer = self._answer(pending[at], _SECONDS_A_FILE * len(chunk))
            if answer is None:
                answer = [self._check_one(file) for file in chunk]
                pending[at + 1 :] = [self._submit(later) for later in chunks[at + 1 :]]
            found += answer
        return found

    def _check_one(self, file: tuple[str, str]) -> Fault | None:
        answer = self._answer(self._submit([file]), _SECONDS_A_FILE)
        return Fault.PIXEL_DATA_UNDECODABLE if answer is None else answer[0]

    def _submit(self, files: Sequence[tuple[str, str]]) -> Any:  # noqa: ANN401 - a future, or null if no worker runs
        try:
            with safe_start():  # the pool starts a process when it is made, and others when it is given work
                if self._pool is None:
                    # Not forked: the parent has threads, of Arrow and others.
                    self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
                return self._pool.submit(_faults_of, files)
        except BrokenProcessPool:
            self._end()
            return None

    def _answer(self, future: Any, seconds: float) -> list[Fault | None] | None:  # noqa: ANN401
        """Return what a worker found, or null if it crashed or timed out."""
        if future is None:
            return None
        try:
            codes = future.result(seconds)
        except (BrokenProcessPool, CancelledError, FutureTimeoutError, OSError):
            self._end()
            return None
        return [None if code is None else Fault.of(code) for code in codes]

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 - the pool has no other way to end one
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)


def _faults_of(files: Sequence[tuple[str, str]]) -> list[str | None]:
    found = (decode_fault(Path(path), file_format) for path, file_format in files)
    return [None if fault is None else fault.code for fault in found]
