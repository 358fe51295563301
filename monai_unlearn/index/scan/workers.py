"""Reading files in worker processes: one that dies or hangs costs its chunk, which is read again file by file."""

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
from monai_unlearn.index.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from monai_unlearn.index.listing import Listed

FILES_A_CHUNK = 500
# A file that takes longer is given up, in seconds; a chunk may take so much more for each of its files.
FILE_LIMIT = 60.0
_MORE_A_FILE = 0.2


@dataclass(frozen=True)
class _Task:
    """Files for a worker: a whole chunk, or one of a chunk that ended its worker."""

    chunk: int
    piece: int
    files: Sequence[Listed]
    reader: Reader

    def limit(self, of_a_file: float) -> float:
        """Return how long it may take, in seconds."""
        return of_a_file + (_MORE_A_FILE * len(self.files) if len(self.files) > 1 else 0)


def cores() -> int:
    """Return how many processor cores this process may use."""
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
    """Yield the number and the rows of each chunk, in the order in which they are read.

    Args:
        chunks: The files.
        reader: Which reader is tried first.
        workers: How many processes read.
        body: What each of them runs; `work` where null.
        limit: The longest that a file may take, in seconds.
        meanwhile: Whether this process reads too while the others start, unless the reader is GDCM.
    """
    crew = _Crew(workers, body or work, limit)
    try:
        tasks = (_Task(number, 0, files, reader) for number, files in enumerate(chunks))
        yield from crew.start(tasks if meanwhile and reader is not Reader.GDCM else iter(()))
        yield from crew.read(tasks)
    finally:
        crew.dismiss()


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    limit: float
    task: _Task | None = None
    began: float = 0.0

    def give(self, task: _Task) -> None:
        self.task, self.began = task, time.monotonic()
        self.pipe.send((task.files, task.reader))

    def answer(self) -> bytes | None:
        """Return what it sends, or nothing where it has died or is late."""
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
class _Crew:
    """The workers, and the chunks whose files are read one by one.

    A worker is as good as the next: it is hired when there is work, and replaced when it dies.
    """

    size: int
    body: Callable[[Connection], None]
    limit: float
    workers: list[_Worker] = field(default_factory=list)
    again: deque[_Task] = field(default_factory=deque)
    pieces: dict[int, dict[int, pa.Table]] = field(default_factory=dict)
    wanted: dict[int, int] = field(default_factory=dict)

    def start(self, tasks: Iterator[_Task]) -> Iterator[tuple[int, pa.Table]]:
        """Hire all workers, and do tasks here until they are there: loading what they need takes a second."""
        starting = threading.Thread(target=lambda: [self._hire() for _ in range(self.size)], daemon=True)
        starting.start()
        try:
            while starting.is_alive() and (task := next(tasks, None)) is not None:
                yield task.chunk, read_files(task.files, reader=task.reader)
        finally:
            starting.join()

    def read(self, tasks: Iterator[_Task]) -> Iterator[tuple[int, pa.Table]]:
        self._give_out(tasks)
        while any(worker.task for worker in self.workers):
            for worker in self._ready():
                done = self._take(worker)
                self._give_out(tasks)
                if done is not None:
                    yield done

    def dismiss(self) -> None:
        for worker in self.workers:
            worker.end()

    def _give_out(self, tasks: Iterator[_Task]) -> None:
        idle = [worker for worker in self.workers if worker.task is None]
        while idle or len(self.workers) < self.size:
            task = self.again.popleft() if self.again else next(tasks, None)
            if task is None:
                return
            worker = idle.pop() if idle else self._hire()
            worker.give(task)

    def _hire(self) -> _Worker:
        context = _context()
        ours, theirs = context.Pipe()
        process = context.Process(target=self.body, args=(theirs,), daemon=True)  # type: ignore[attr-defined]
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
        """Take a worker's answer, or what its end means; return a chunk that is whole by it."""
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
        self.pieces[task.chunk], self.wanted[task.chunk] = {}, len(task.files)
        self.again.extend(_Task(task.chunk, piece, [file], Reader.PYDICOM) for piece, file in enumerate(task.files))

    def _collect(self, task: _Task, rows: pa.Table) -> tuple[int, pa.Table] | None:
        if task.chunk not in self.wanted:
            return task.chunk, rows
        pieces = self.pieces[task.chunk]
        pieces[task.piece] = rows
        if len(pieces) < self.wanted[task.chunk]:
            return None
        del self.wanted[task.chunk]
        return task.chunk, pa.concat_tables([piece for _, piece in sorted(self.pieces.pop(task.chunk).items())])


def unreadable(files: Sequence[Listed]) -> pa.Table:
    """Return the rows of files that no reader survives."""
    return read_files([file._replace(fault=Fault.UNREADABLE) for file in files], reader=Reader.PYDICOM)


def packed(rows: pa.Table) -> bytes:
    """Return rows as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def unpacked(content: bytes) -> pa.Table:
    """Return the rows of `packed`."""
    with pa.ipc.open_stream(pa.py_buffer(content)) as reader:
        return reader.read_all()


def _context() -> BaseContext:
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    # Loaded once, before the workers part: they share the memory that it takes.
    context.set_forkserver_preload(["monai_unlearn.index.scan.workers"])
    return context


def work(pipe: Connection) -> None:
    """Answer each task with its rows, until there is nobody to answer."""
    try:
        while True:
            files, reader = pipe.recv()
            pipe.send_bytes(packed(read_files(files, reader=reader)))
    except (EOFError, OSError, KeyboardInterrupt):
        return
