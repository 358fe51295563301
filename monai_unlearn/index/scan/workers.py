"""Reading files in worker processes: if a worker dies or hangs, its chunk is read again file by file."""

from __future__ import annotations

import multiprocessing as mp
import os
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.index.fast_readers import Reader, read_files
from monai_unlearn.index.scan.packing import packed, unpacked, unreadable
from monai_unlearn.safe_path import safe_start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from monai_unlearn.index.listing import Listed

FILES_A_CHUNK = 500
# Seconds until a file is given up; a chunk may take this much longer for each of its files.
FILE_LIMIT = 60.0
_MORE_A_FILE = 0.2


@dataclass(frozen=True)
class _Task:
    """Files for a worker: a whole chunk, or one file of a chunk that killed its worker."""

    chunk: int
    position: int
    files: Sequence[Listed]
    reader: Reader

    def limit(self, per_file: float) -> float:
        """Return how long it may take, in seconds."""
        return per_file + (_MORE_A_FILE * len(self.files) if len(self.files) > 1 else 0)


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def read_in_processes(
    chunks: Iterable[Sequence[Listed]],
    *,
    reader: Reader,
    workers: int,
    body: Callable[[Connection], None] | None = None,
    limit: float = FILE_LIMIT,
    meanwhile: bool = True,
) -> Iterator[tuple[int, pa.Table]]:
    """Yield the number and the rows of each chunk, in the order in which they are finished.

    Args:
        chunks: The files.
        reader: The reader that is tried first.
        workers: The number of processes that read.
        body: What each of them runs; null for `work`.
        limit: How long a file may take, in seconds.
        meanwhile: Whether this process reads too while the others start; never with GDCM, which may crash it.
    """
    pool = _Pool(workers, body or work, limit)
    try:
        tasks = (_Task(number, 0, files, reader) for number, files in enumerate(chunks))
        yield from pool.start(tasks if meanwhile and reader is not Reader.GDCM else iter(()))
        yield from pool.read(tasks)
    finally:
        pool.close()


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    limit: float
    task: _Task | None = None
    began: float = 0.0

    def start(self, task: _Task) -> None:
        self.task, self.began = task, time.monotonic()
        self.pipe.send((task.files, task.reader))

    def answer(self) -> bytes | None:
        """Return what it sends, or null if it has died or is late."""
        if self.is_late() and not self.pipe.poll():
            return None
        try:
            answer = self.pipe.recv_bytes()
        except (EOFError, OSError):
            return None
        self.task = None
        return answer

    def is_late(self) -> bool:
        return self.task is not None and time.monotonic() - self.began > self.task.limit(self.limit)

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


@dataclass
class _Pool:
    """The workers, and the chunks whose files are read one by one.

    Workers are started when there is work, and replaced when they die.
    """

    size: int
    body: Callable[[Connection], None]
    limit: float
    workers: list[_Worker] = field(default_factory=list)
    again: deque[_Task] = field(default_factory=deque)
    rows: dict[int, dict[int, pa.Table]] = field(default_factory=dict)
    wanted: dict[int, int] = field(default_factory=dict)

    def start(self, tasks: Iterator[_Task]) -> Iterator[tuple[int, pa.Table]]:
        """Start all workers, and do tasks here until they run: their imports take a second."""
        starting = threading.Thread(target=lambda: [self._start_worker() for _ in range(self.size)], daemon=True)
        starting.start()
        try:
            while starting.is_alive() and (task := next(tasks, None)) is not None:
                yield task.chunk, read_files(task.files, reader=task.reader)
        finally:
            starting.join()

    def read(self, tasks: Iterator[_Task]) -> Iterator[tuple[int, pa.Table]]:
        self._assign(tasks)
        while any(worker.task for worker in self.workers):
            for worker in self._ready():
                done = self._take(worker)
                self._assign(tasks)
                if done is not None:
                    yield done

    def close(self) -> None:
        for worker in self.workers:
            worker.end()

    def _assign(self, tasks: Iterator[_Task]) -> None:
        idle = [worker for worker in self.workers if worker.task is None]
        while idle or len(self.workers) < self.size:
            task = self.again.popleft() if self.again else next(tasks, None)
            if task is None:
                return
            worker = idle.pop() if idle else self._start_worker()
            worker.start(task)

    def _start_worker(self) -> _Worker:
        context = _context()
        ours, theirs = context.Pipe()
        process = context.Process(target=self.body, args=(theirs,), daemon=True)  # type: ignore[attr-defined]
        with safe_start():
            process.start()
        theirs.close()
        self.workers.append(_Worker(process, ours, self.limit))
        return self.workers[-1]

    def _ready(self) -> list[_Worker]:
        """Wait until a worker has an answer, has died, or is late."""
        busy = {worker.pipe: worker for worker in self.workers if worker.task is not None}
        ready = [busy[pipe] for pipe in wait(list(busy), timeout=1.0) if pipe in busy]
        return ready or [worker for worker in busy.values() if worker.is_late()]

    def _take(self, worker: _Worker) -> tuple[int, pa.Table] | None:
        """Take the answer of a worker, or deal with its end; return the chunk that this completes, if any."""
        task = worker.task
        if task is None:
            return None
        answer = worker.answer()
        if answer is None:
            self.workers.remove(worker)
            worker.end()
            if len(task.files) > 1:
                self._split(task)
                return None
        return self._collect(task, unreadable(task.files) if answer is None else unpacked(answer))

    def _split(self, task: _Task) -> None:
        self.rows[task.chunk], self.wanted[task.chunk] = {}, len(task.files)
        self.again.extend(
            _Task(task.chunk, position, [file], Reader.PYDICOM) for position, file in enumerate(task.files)
        )

    def _collect(self, task: _Task, rows: pa.Table) -> tuple[int, pa.Table] | None:
        if task.chunk not in self.wanted:
            return task.chunk, rows
        done = self.rows[task.chunk]
        done[task.position] = rows
        if len(done) < self.wanted[task.chunk]:
            return None
        del self.wanted[task.chunk]
        return task.chunk, pa.concat_tables([table for _, table in sorted(self.rows.pop(task.chunk).items())])


def _context() -> BaseContext:
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    # Imported once, before the workers are forked: they share this memory.
    context.set_forkserver_preload(["monai_unlearn.index.scan.workers"])
    return context


def work(pipe: Connection) -> None:
    """Answer each task with its rows, until the pipe is closed."""
    try:
        while True:
            files, reader = pipe.recv()
            pipe.send_bytes(packed(read_files(files, reader=reader)))
    except (EOFError, OSError, KeyboardInterrupt):
        return
