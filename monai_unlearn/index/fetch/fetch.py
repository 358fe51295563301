"""Fetching the images of a cohort from an archive: only these, checked, and whole or not at all."""

from __future__ import annotations

import shutil
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fetch.bind import bind
from monai_unlearn.index.fetch.judge import OTHER_PIXELS, judged
from monai_unlearn.index.fetch.manifest import Fetched, read_manifest, write_manifest
from monai_unlearn.index.fetch.report import FetchReport
from monai_unlearn.index.fetch.wanted import Wanted
from monai_unlearn.locks import locked
from monai_unlearn.pacs.web import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from monai_unlearn.index.fetch.archive import ImageArchive
    from monai_unlearn.index.store.store import Index

_A_MANIFEST = 200
_AHEAD = 4


def fetch(
    index: Index,
    wanted: Sequence[Wanted],
    archive: ImageArchive,
    *,
    folder: Path,
    budget: int | None = None,
    connections: int = 4,
    track: Callable[[Sequence[Wanted]], Iterable[Wanted]] = lambda wanted: wanted,
) -> FetchReport:
    """Fetch images, and let the index say where they are; those that are there already are not asked for again.

    Args:
        index: The index.
        wanted: The images.
        archive: The archive.
        folder: The folder for the files.
        budget: How many bytes the files in the folder may have in all; null for what the disk has.
        connections: How many files are asked for at once.
        track: Passes the images through, and shows the progress.

    Raises:
        ArchiveError: The archive fails or refuses. What was fetched stays, and the next fetch goes on.
        IndexReadError: Another fetch uses the folder, its manifest was damaged, or the index was changed.
    """
    refusal = IndexReadError(f"{folder}: another fetch writes to this folder. Wait until it has ended.")
    with locked(folder / "lock", refusal=refusal):
        run = Files(archive, folder, budget, read_manifest(folder), FetchReport(folder, len(wanted)))
        try:
            run.recognise(wanted)
            run.all(track(wanted), connections)
        finally:
            run.save()
        bind(index.directory, folder, run.held)
    return run.report


@dataclass
class Files:
    """The files of a folder of images, and those that come into it; whoever uses it holds the folder's lock.

    Attributes:
        archive: The archive; null where nothing is asked for.
        folder: The folder.
        budget: How many bytes the files may have in all; null for what the disk has.
        held: The files that are there, by `image_id`.
        report: What was done.
        unsaved: How many files came since the manifest was written.
    """

    archive: ImageArchive | None
    folder: Path
    budget: int | None
    held: dict[str, Fetched]
    report: FetchReport
    unsaved: int = 0

    def recognise(self, wanted: Iterable[Wanted]) -> None:
        """Take over what a killed fetch left, so that the budget counts it before more comes."""
        for one in wanted:
            if one.image_id not in self.held:
                self.is_there(one)

    def all(self, wanted: Iterable[Wanted], connections: int) -> None:
        """Fetch what is not there, some at once; results are taken in order."""
        used = sum(one.size for one in self.held.values())
        for one, content in self._ahead(wanted, connections):
            if content is None:
                self.report.present += 1
                self.report.bytes += self.held[one.image_id].size
                continue
            if self.report.left or used + len(content) > self._room(used):
                self.report.left += 1
                continue
            if self._store(one, content):
                used += len(content)

    def save(self) -> None:
        """Write the manifest, whole or not at all."""
        write_manifest(self.folder, self.held)
        self.unsaved = 0

    def _room(self, used: int) -> int:
        free = used + shutil.disk_usage(self.folder).free
        return free if self.budget is None else min(free, self.budget)

    def _ahead(self, wanted: Iterable[Wanted], connections: int) -> Iterator[tuple[Wanted, bytes | None]]:
        """Yield each image with its file; null if it is there, and not at all if the archive does not have it."""
        pending = deque[tuple[Wanted, "Future[bytes] | None"]]()
        pool = ThreadPoolExecutor(connections, thread_name_prefix="fetch")
        try:
            for one in wanted:
                if self.report.left:
                    self.report.left += 1
                    continue
                there = self.is_there(one)
                ask = None if there or self.archive is None else pool.submit(self.archive.instance, *one.uids)
                pending.append((one, ask))
                if len(pending) > connections * _AHEAD:
                    yield from self._result(*pending.popleft())
            while pending:
                yield from self._result(*pending.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _result(self, one: Wanted, ask: Future[bytes] | None) -> Iterator[tuple[Wanted, bytes | None]]:
        try:
            yield one, None if ask is None else ask.result()
        except RefusedError as error:
            if error.status not in (404, 410):
                raise
            self.report.missing += 1

    def is_there(self, one: Wanted) -> bool:
        """Return whether the file is there, as it was fetched; a file that a killed fetch left is looked at."""
        path = self.folder / one.name
        if not path.is_file():
            return False
        known, stat = self.held.get(one.image_id), path.stat()
        if known is not None and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return known.is_of(one.people)
        entry, fault = judged(path, one)
        if fault is not None or (known is not None and known.file_digest != entry.file_digest):
            return False
        self.held[one.image_id] = entry
        return True

    def _store(self, one: Wanted, content: bytes) -> bool:
        """Write a file aside, and put it into its place if it is the image; return whether it is."""
        path = self.folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.partial")  # a killed fetch leaves it, and the next overwrites it
        aside.write_bytes(content)
        entry, fault = judged(aside, one)
        known = self.held.get(one.image_id)
        if fault is None and known is not None and known.pixel_digest != entry.pixel_digest:
            fault = OTHER_PIXELS
        if fault is not None:
            aside.unlink()
            self.report.faulty[fault] += 1
            return False
        aside.replace(path)
        self.held[one.image_id] = entry
        self.report.fetched += 1
        self.report.bytes += entry.size
        self.unsaved += 1
        if self.unsaved >= _A_MANIFEST:
            self.save()
        return True
