"""Reading the new and changed files: by dask, by worker processes, or in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING, cast

import pyarrow as pa

from monai_unlearn.index.fast_readers import Reader, read_files
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.readers.identity import without_birth_dates
from monai_unlearn.index.scan.decode_check import DecodeCheck
from monai_unlearn.index.scan.pixel_digests import with_pixel_digests
from monai_unlearn.index.scan.workers import FILES_A_CHUNK, cores, read_in_processes

if TYPE_CHECKING:
    from monai_unlearn.index.scan.options import ScanOptions
    from monai_unlearn.index.scan.plan import Plan
    from monai_unlearn.index.scan.workspace import Workspace

Track = Callable[[Sequence[Listed]], Iterator[Listed]]
_Read = Callable[[Iterable[Sequence[Listed]], Reader], Iterator[tuple[int, pa.Table]]]

# Fewer files than this are read before worker processes have started.
_WORTH_WORKERS = 1_000


def read_fresh(plan: Plan, space: Workspace, *, options: ScanOptions, track: Track) -> None:
    """Read the files that are new or changed, and store each chunk of rows as soon as it is complete."""
    # A spool is not a sequence, but it has a length, which is all that a progress bar needs.
    files = track(cast("Sequence[Listed]", plan.fresh))
    chunks = _read(len(plan.fresh), options)(_chunks(files), options.reader)
    for number, rows in _finished(chunks, options):
        space.add_block(number, rows)


def _finished(chunks: Iterator[tuple[int, pa.Table]], options: ScanOptions) -> Iterator[tuple[int, pa.Table]]:
    """Yield the chunks with decoded pixels, extra tags and pseudonyms, as far as the options ask for them.

    Their birth dates are replaced in any case: what is yielded may be written.
    """
    with DecodeCheck(options.workers or cores()) if options.decode_check else nullcontext() as check:
        for number, rows in chunks:
            decoded, decisions = rows if check is None else check.rows(rows), options.decisions
            if options.pixel_digest:
                decoded = with_pixel_digests(decoded)
            tagged = options.extra_tags.rows(decoded, options.pseudonyms, dropped=decisions.drop)
            kept, names = decisions.without_dropped(tagged), options.pseudonyms
            yield number, without_birth_dates(kept) if names is None else names.rows(kept)


def _chunks(files: Iterator[Listed]) -> Iterator[Sequence[Listed]]:
    while chunk := list(islice(files, FILES_A_CHUNK)):
        yield chunk


def _read(count: int, options: ScanOptions) -> _Read:
    """Return what reads this many files: dask, worker processes, or this process."""
    if options.dask is not None:
        from monai_unlearn.index.scan.on_dask import read_on_dask

        address = options.dask
        return lambda chunks, reader: read_on_dask(chunks, reader=reader, address=address)
    workers = options.workers or cores()
    # GDCM may crash the process that it runs in.
    if options.reader is Reader.GDCM or (workers > 1 and count >= _WORTH_WORKERS):
        return lambda chunks, reader: read_in_processes(chunks, reader=reader, workers=workers)
    return _read_here


def _read_here(chunks: Iterable[Sequence[Listed]], reader: Reader) -> Iterator[tuple[int, pa.Table]]:
    for number, chunk in enumerate(chunks):
        yield number, read_files(chunk, reader=reader)
