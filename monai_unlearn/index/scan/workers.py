"""Reading files in worker processes: if a worker dies or hangs, its chunk is read again file by file."""

from __future__ import annotations

import multiprocessing as mp
import os
import sys
import threading
import time
import warnings
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import Reader, prepare
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan.file_rows import finished, rows_of
from monai_unlearn.index.scan.packing import packed, unpacked, unreadable
from monai_unlearn.light_imports import light_arrow
from monai_unlearn.safe_path import safe_start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from monai_unlearn.index.scan.options import ScanOptions

    Body = Callable[[Connection, ScanOptions], None]

FILES_A_CHUNK = 500
# Seconds until a file is given up; a chunk may take this much longer for each of its files.
FILE_LIMIT = 60.0
_MORE_A_FILE = 0.2
# A file that is read whole may take a second more for so many bytes.
_BYTES_A_SECOND = 5_000_000
# A task of so many bytes fits into the pipe of a worker that does another. Elsewhere pipes may have no room at all.
_AHEAD_BYTES = 128 * 1024 if sys.platform == "linux" else 0
# What a worker sends first: one that ends before cannot work here at all.
READY = b"ready"
_STDERR = 2
# Arrow's allocator knows of forks, and needs no such thread in them.
_OF_JEMALLOC = "jemalloc_bg_thd"
_NEVER_READY = (
    "A worker process of the index ended with code {code} before it read anything. Give --workers 1 to read in one "
    "process; a script of your own should build the index behind `if __name__ == '__main__':`."
)


@dataclass(frozen=True)
class _Task:
    """Files for a worker: a whole chunk, or one file of a chunk that killed its worker."""

    chunk: int
    position: int
    files: Sequence[Listed]
    reader: Reader

    @property
    def content(self) -> memoryview:
        """What a worker is sent, for `received`: column by column, which takes a tenth of the time."""
        paths, _, sizes, times, _, faults = zip(*self.files, strict=True)
        content: memoryview = ForkingPickler.dumps((paths, sizes, times, faults, self.reader))
        return content

    def limit(self, per_file: float, *, reads_all: bool) -> float:
        """Return how long it may take, in seconds, if it reads headers, or all bytes of the files."""
        whole = sum(file.size or 0 for file in self.files) / _BYTES_A_SECOND if reads_all else 0
        return per_file + whole + (_MORE_A_FILE * len(self.files) if len(self.files) > 1 else 0)


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def read_in_processes(
    chunks: Iterable[Sequence[Listed]],
    options: ScanOptions,
    *,
    workers: int,
    body: Body | None = None,
    limit: float = FILE_LIMIT,
    meanwhile: bool = True,
) -> Iterator[tuple[int, pa.Table]]:
    """Yield the number and the rows of each chunk, in the order in which they are finished.

    Args:
        chunks: The files.
        options: What the user asks for.
        workers: The number of processes that read.
        body: What each of them runs; null for `work`.
        limit: How long a file may take, in seconds.
        meanwhile: Whether this process reads too while the others start; never with GDCM, which may crash it.

    Raises:
        IndexReadError: Worker processes end as soon as they start.
    """
    pool = _Pool(workers, options, body or work, limit)
    try:
        tasks = (_Task(number, 0, files, options.reader) for number, files in enumerate(chunks))
        yield from pool.start(tasks if meanwhile and options.reader is not Reader.GDCM else iter(()))
        yield from pool.read(tasks)
    finally:
        pool.close()


@dataclass
class _Worker:
    """A process that reads, and its tasks: the one that it does, and maybe one that waits in the pipe.

    While a worker has one to go on with, this process can list files and collect rows.
    """

    process: Any
    pipe: Connection
    tasks: deque[tuple[_Task, float]] = field(default_factory=deque)
    until: float = 0.0
    is_ready: bool = False

    def start(self, task: _Task, content: memoryview, *, limit: float) -> None:
        self.tasks.append((task, limit))
        if len(self.tasks) == 1:
            self.until = time.monotonic() + limit
        with suppress(OSError):  # it has ended, and so it never answers
            self.pipe.send_bytes(content)

    def answer(self) -> bytes | None:
        """Return what it sends for its first task, or null if it has died or is late."""
        if self.is_late() and not self.pipe.poll():
            return None
        try:
            answer = self.pipe.recv_bytes()
        except (EOFError, OSError):
            return None
        self.tasks.popleft()
        if self.tasks:
            self.until = time.monotonic() + self.tasks[0][1]
        return answer

    def greets(self) -> bool:
        """Take the first message of the worker, and return whether that was it."""
        if self.is_ready:
            return False
        with suppress(EOFError, OSError):
            self.is_ready = self.pipe.recv_bytes() == READY
        return self.is_ready

    def is_late(self) -> bool:
        return bool(self.tasks) and time.monotonic() > self.until

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
    options: ScanOptions
    body: Body
    limit: float
    workers: list[_Worker] = field(default_factory=list)
    again: deque[_Task] = field(default_factory=deque)
    rows: dict[int, dict[int, pa.Table]] = field(default_factory=dict)
    wanted: dict[int, int] = field(default_factory=dict)
    next: tuple[_Task, memoryview] | None = None

    def start(self, tasks: Iterator[_Task]) -> Iterator[tuple[int, pa.Table]]:
        """Start all workers; where they have to import what they need, do tasks here until they run."""
        if can_fork():
            prepare()
            for _ in range(self.size):
                self._start_worker()
            return
        starting = threading.Thread(target=lambda: [self._start_worker() for _ in range(self.size)], daemon=True)
        starting.start()
        try:
            while starting.is_alive() and (task := next(tasks, None)) is not None:
                yield task.chunk, rows_of(task.files, reader=task.reader, options=self.options)
        finally:
            starting.join()

    def read(self, tasks: Iterator[_Task]) -> Iterator[tuple[int, pa.Table]]:
        self._assign(tasks)
        while any(worker.tasks for worker in self.workers):
            for worker in self._ready():
                done = self._take(worker)
                self._assign(tasks)
                if done is not None:
                    yield done

    def close(self) -> None:
        for worker in self.workers:
            worker.end()

    def _assign(self, tasks: Iterator[_Task]) -> None:
        """Give each worker a task, and then one ahead, if it fits into the pipe: waiting for room could be for ever."""
        for most in (1, 2):
            while (found := self._next(tasks)) is not None:
                task, content = found
                free = [
                    worker for worker in self.workers if len(worker.tasks) < most and (most == 1 or worker.is_ready)
                ]
                if most > 1 and (not free or len(content) > _AHEAD_BYTES):
                    return
                if not free and len(self.workers) >= self.size:
                    break
                worker = free[0] if free else self._start_worker()
                worker.start(task, content, limit=task.limit(self.limit, reads_all=self.options.pixel_digest))
                self.next = None

    def _next(self, tasks: Iterator[_Task]) -> tuple[_Task, memoryview] | None:
        """Return the next task, until it is given to a worker."""
        if self.next is None:
            task = self.again.popleft() if self.again else next(tasks, None)
            self.next = None if task is None else (task, task.content)
        return self.next

    def _start_worker(self) -> _Worker:
        context = _context()
        ours, theirs = context.Pipe()
        body = _Forked(self.body) if context.get_start_method() == "fork" else self.body
        process = context.Process(target=body, args=(theirs, self.options), daemon=True)  # type: ignore[attr-defined]
        # Newer versions of Python warn of any other thread at a fork, also of the one that is known not to matter.
        with safe_start(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        theirs.close()
        self.workers.append(_Worker(process, ours))
        return self.workers[-1]

    def _ready(self) -> list[_Worker]:
        """Wait until a worker has an answer, has died, or is late."""
        busy = {worker.pipe: worker for worker in self.workers if worker.tasks}
        found = [busy[pipe] for pipe in wait(list(busy), timeout=1.0) if pipe in busy]
        ready = [worker for worker in found if not worker.greets()]
        return ready or [worker for worker in busy.values() if worker.is_late()]

    def _take(self, worker: _Worker) -> tuple[int, pa.Table] | None:
        """Take the answer of a worker, or deal with its end; return the chunk that this completes, if any."""
        task = worker.tasks[0][0]
        answer = worker.answer()
        if answer is None:
            self.workers.remove(worker)
            worker.end()
            self.again.extend(waiting for waiting, _ in list(worker.tasks)[1:])
            if not (worker.is_ready or worker.is_late()):
                raise IndexReadError(_NEVER_READY.format(code=worker.process.exitcode))
            if len(task.files) > 1:
                self._split(task)
                return None
            return self._collect(task, finished(unreadable(task.files), self.options))
        return self._collect(task, unpacked(answer))

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


def can_fork() -> bool:
    """Return whether a fork of this process can go on: it has no other thread, whose locks would stay locked in it.

    Threads of libraries count as well, such as those of Arrow and OpenBLAS; only Linux says which there are.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    try:
        names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    except OSError:  # a thread that has just ended
        return False
    return len([name for name in names if name != _OF_JEMALLOC]) == 1


def _context() -> BaseContext:
    if can_fork():
        return mp.get_context("fork")  # at once, without an import
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    # Imported once, before the workers are forked: they share this memory.
    context.set_forkserver_preload(["monai_unlearn.index.scan.workers"])
    return context


@dataclass(frozen=True)
class _Forked:
    """Runs a worker in a fork of this process, once it has closed what the fork would keep open.

    These are the lock of the run, and the pipes of other workers, which wait for their end.
    """

    body: Body

    def __call__(self, pipe: Connection, options: ScanOptions) -> None:
        opened = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
        for descriptor in opened:
            if descriptor > _STDERR and descriptor != pipe.fileno():
                with suppress(OSError):  # that of the folder itself
                    os.close(descriptor)
        self.body(pipe, options)


def received(pipe: Connection) -> tuple[Sequence[Listed], Reader]:
    """Return the files of a worker's next task, with what reading needs of them, and the reader that is tried first.

    Raises:
        EOFError: There are no more.
    """
    paths, sizes, times, faults, reader = pipe.recv()
    columns = zip(paths, sizes, times, faults, strict=True)
    return [Listed(path, "", size, changed, fault=fault) for path, size, changed, fault in columns], reader


def work(pipe: Connection, options: ScanOptions) -> None:
    """Answer each task with its rows, until the pipe is closed."""
    try:
        light_arrow()
        pipe.send_bytes(READY)
        while True:
            files, reader = received(pipe)
            pipe.send_bytes(packed(rows_of(files, reader=reader, options=options)))
    except (EOFError, OSError, KeyboardInterrupt):
        return
