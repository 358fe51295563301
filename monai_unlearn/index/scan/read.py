"""Reading the new and changed files: by dask, by worker processes, or in this process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan.file_rows import finished, rows_of
from monai_unlearn.index.scan.pixel_digests import digests_of_usable
from monai_unlearn.index.scan.workers import FILES_A_CHUNK, cores, read_in_processes

if TYPE_CHECKING:
    from monai_unlearn.index.scan.options import ScanOptions
    from monai_unlearn.index.scan.plan import Plan
    from monai_unlearn.index.scan.workspace import Workspace

Track = Callable[[Iterable[Listed]], Iterator[Listed]]
_Chunks = Iterable[Sequence[Listed]]
_Numbered = Iterator[tuple[int, pa.Table]]

# Fewer files than this are read before worker processes have started.
_WORTH_WORKERS = 1_000


def read_fresh(plan: Plan, space: Workspace, *, options: ScanOptions, track: Track) -> Generator[int, None, None]:
    """Read the files that are new or changed, and store each chunk of rows as soon as it is complete.

    Yields:
        The number of each block that is stored.
    """
    files = track(plan.to_read())
    # How many files there are is not known before all are listed; that they are worth workers is known sooner.
    first = list(islice(files, _WORTH_WORKERS)) if _may_have_workers(options) else []
    chunks = _read(len(first), options)(_chunks(chain(first, files)), options)
    for number, rows in _checked(chunks, options) if options.decode_check else chunks:
        space.add_block(number, rows)
        yield number


def _may_have_workers(options: ScanOptions) -> bool:
    return options.dask is None and (options.workers or cores()) > 1


def _checked(chunks: _Numbered, options: ScanOptions) -> _Numbered:
    """Yield the chunks, finished once their pixels have been decoded."""
    from monai_unlearn.index.scan.decode_check import DecodeCheck

    with DecodeCheck(options.workers or cores()) as check:
        for number, rows in chunks:
            yield number, finished(digests_of_usable(check.rows(rows)), options)


def _chunks(files: Iterator[Listed]) -> Iterator[Sequence[Listed]]:
    while chunk := list(islice(files, FILES_A_CHUNK)):
        yield chunk


def _read(count: int, options: ScanOptions) -> Callable[[_Chunks, ScanOptions], _Numbered]:
    """Return what reads this many files: dask, worker processes, or this process."""
    if options.dask is not None:
        return _read_there
    workers = options.workers or cores()
    # GDCM may crash the process that it runs in.
    if options.reader is Reader.GDCM or (workers > 1 and count >= _WORTH_WORKERS):
        return partial(read_in_processes, workers=workers)
    return _read_here


def _read_here(chunks: _Chunks, options: ScanOptions) -> _Numbered:
    for number, chunk in enumerate(chunks):
        yield number, rows_of(chunk, reader=options.reader, options=options)


def _read_there(chunks: _Chunks, options: ScanOptions) -> _Numbered:
    """Read on dask; rows are finished here, so that the key of pseudonyms never leaves this machine."""
    from monai_unlearn.index.scan.on_dask import read_on_dask

    where, digests = options.dask or "", options.pixel_digest
    for number, rows in read_on_dask(chunks, reader=options.reader, address=where, pixel_digest=digests):
        yield number, rows if options.decode_check else finished(rows, options)
