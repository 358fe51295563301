"""Reading the listed files: new and changed ones from disk, the others from what earlier runs kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn import __version__
from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.fast_readers import Reader, read_files, schema
from monai_unlearn.index.listing import Listed, Walk
from monai_unlearn.index.scan.decode_check import DecodeCheck
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.moved import Moves
from monai_unlearn.index.scan.previous_rows import PreviousRows
from monai_unlearn.index.scan.spool import Spool
from monai_unlearn.index.scan.workers import FILES_A_CHUNK, cores, read_in_processes
from monai_unlearn.index.store.store import read_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.index.pseudonyms import Pseudonyms
    from monai_unlearn.index.scan.workspace import Workspace

Track = Callable[[Sequence[Listed]], Iterator[Listed]]
Read = Callable[[Iterable[Sequence[Listed]], Reader], Iterator[tuple[int, pa.Table]]]

# Fewer files than this are read before worker processes have started.
_WORTH_WORKERS = 1_000


@dataclass(frozen=True, kw_only=True)
class ScanOptions:
    """How files are read.

    Attributes:
        reader: Which reader is tried first.
        workers: How many processes read; as many as there are cores where null.
        dask: The address of a dask scheduler, or `local`, where dask reads.
        decode_check: Whether all pixels are decoded.
        pseudonyms: What replaces identifiers, before anything is written.
        extra_tags: What is read of the files besides what every index holds.
    """

    reader: Reader = Reader.AUTO
    workers: int | None = None
    dask: str | None = None
    decode_check: bool = False
    pseudonyms: Pseudonyms | None = None
    extra_tags: ExtraTags = field(default_factory=ExtraTags)

    @property
    def mark(self) -> dict[str, str]:
        """What the rows of files depend on besides the files: only rows of the same mark are used again."""
        fingerprint = "" if self.pseudonyms is None else self.pseudonyms.fingerprint
        return {
            "tool_version": __version__,
            "pseudonyms": fingerprint,
            "decode_check": str(self.decode_check),
            "extra_tags": self.extra_tags.mark,
        }

    @classmethod
    def of(cls, *, reader: str, workers: int | None, dask: str | None, **options: Any) -> ScanOptions:  # noqa: ANN401 - as the class takes them
        """Take the options of a command line.

        Raises:
            IndexReadError: There is no such reader, or it is not installed; or workers are asked for on dask, which
                has its own.
        """
        names = [known.value for known in Reader]
        if reader not in names:
            hint = did_you_mean(reader, names)
            raise IndexReadError(f"--reader {reader}: expected one of {', '.join(names)}.{hint}")
        if workers is not None and dask is not None:
            raise IndexReadError("--workers and --dask: a dask cluster has its own workers. Leave one of them out.")
        Reader(reader).check()
        return cls(reader=Reader(reader), workers=workers, dask=dask, **options)


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What became of the files, against the last run.

    Attributes:
        reused: Files that have not changed.
        added: New ones.
        changed: Ones of another size or time.
        vanished: Ones that are no more.
        moved: Ones that are no more where they were, and are new where they are.
        resumed: Files that a run before this one read, and did not live to index.
    """

    reused: int = 0
    added: int = 0
    changed: int = 0
    vanished: int = 0
    moved: int = 0
    resumed: int = 0

    def document(self) -> dict[str, int]:
        """Return it for JSON."""
        return dict(sorted(vars(self).items()))


@dataclass
class Plan:
    """The listed files, which of them are to be read, and how they fared.

    Attributes:
        files: All of them.
        fresh: Those to be read.
        counts: How they fared.
        passed_over: How many entries are no files.
        moves: Which files are new, and which are gone.
    """

    files: Spool
    fresh: Spool
    counts: Scan = field(default_factory=Scan)
    passed_over: int = 0
    moves: Moves | None = None


def make_plan(walk: Walk, space: Workspace, previous: Iterator[pa.Table] | None) -> Plan:
    """List the files, and tell new and changed ones from those that earlier runs have read as they are now.

    Args:
        walk: The files.
        space: Where the run works.
        previous: What the index keeps of its files.
    """
    plan = Plan(Spool(space.folder / "listed.spool"), Spool(space.folder / "fresh.spool"))
    moves = plan.moves = None if previous is None else Moves(space.folder)
    known = PreviousRows(previous or (), on_unseen=None if moves is None else moves.vanished)
    earlier = [PreviousRows(blocks) for blocks in space.earlier_runs()]
    reused = changed = added = resumed = 0
    for file in walk:
        plan.files.append(file)
        was_known = known.has(file)
        is_same = was_known and known.is_same(file)
        reused += is_same
        changed += was_known and not is_same
        added += not was_known
        if not was_known and moves is not None:
            moves.added(file)
        if is_same and known.is_certain():
            continue
        if any(run.has(file) and run.is_same(file) and run.is_certain() for run in earlier):
            resumed += 1
        else:
            plan.fresh.append(file)
    known.finish()
    plan.files.close()
    plan.fresh.close()
    plan.passed_over = walk.passed_over
    vanished = known.rows - known.seen
    plan.counts = Scan(reused=reused, changed=changed, added=added, vanished=vanished, resumed=resumed)
    return plan


def read_fresh(plan: Plan, space: Workspace, *, options: ScanOptions, track: Track) -> None:
    """Read the files that are new or changed, and keep each chunk of rows as soon as it is there."""
    # A spool is no sequence, but has what showing how far it is takes: a length.
    files = track(cast("Sequence[Listed]", plan.fresh))
    chunks = _read(len(plan.fresh), options)(_chunks(files), options.reader)
    for number, rows in _finished(chunks, options):
        space.add_block(number, rows)


def _finished(chunks: Iterator[tuple[int, pa.Table]], options: ScanOptions) -> Iterator[tuple[int, pa.Table]]:
    """Yield chunks whose pixels were decoded and whose identifiers replaced, where that is asked for."""
    with DecodeCheck(options.workers or cores()) if options.decode_check else nullcontext() as check:
        for number, rows in chunks:
            decoded = options.extra_tags.rows(rows if check is None else check.rows(rows), options.pseudonyms)
            yield number, decoded if options.pseudonyms is None else options.pseudonyms.rows(decoded)


def all_rows(
    plan: Plan, space: Workspace, previous: Iterator[pa.Table] | None
) -> Iterator[tuple[Sequence[Listed], pa.Table]]:
    """Yield the listed files with their rows, some thousands at a time, sorted by path.

    Args:
        plan: The files, of which the fresh ones are read.
        space: Where the run works.
        previous: What the index keeps of its files.
    """
    sources = [PreviousRows(space.blocks(), is_fresh=True), PreviousRows(previous or ())]
    sources += [PreviousRows(blocks) for blocks in space.earlier_runs()]
    for files in plan.files.batches():
        for file in files:
            found = next(known for known in sources if known.has(file) and known.is_same(file) and known.is_certain())
            found.take()
        yield files, pa.concat_tables([rows for known in sources for rows in known.taken()]).sort_by("path")


def with_moves(counts: Scan, moved: int) -> Scan:
    """Return the counts with so many files as moved, rather than as added and vanished."""
    return replace(counts, added=counts.added - moved, vanished=counts.vanished - moved, moved=moved)


def kept_files(directory: Path, mark: Mapping[str, str]) -> Iterator[pa.Table] | None:
    """Return what the index in a folder keeps of its files, where it has the mark."""
    try:
        file = pq.ParquetFile(directory / str(read_document(directory).get("files")))
        if not file.schema_arrow.equals(schema().with_metadata(mark), check_metadata=True):
            file.close()
            return None
    except (IndexReadError, OSError, pa.ArrowException):
        return None  # there is nothing to reuse: every file is read
    return _groups(file)


def _groups(file: pq.ParquetFile) -> Iterator[pa.Table]:
    with file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, use_threads=False)


def _chunks(files: Iterator[Listed]) -> Iterator[Sequence[Listed]]:
    while chunk := list(islice(files, FILES_A_CHUNK)):
        yield chunk


def _read(count: int, options: ScanOptions) -> Read:
    """Return what reads so many files: dask, worker processes, or this process."""
    if options.dask is not None:
        from monai_unlearn.index.scan.on_dask import read_on_dask

        address = options.dask
        return lambda chunks, reader: read_on_dask(chunks, reader=reader, address=address)
    workers = options.workers or cores()
    # GDCM may end the process that it runs in.
    if options.reader is Reader.GDCM or (workers > 1 and count >= _WORTH_WORKERS):
        return lambda chunks, reader: read_in_processes(chunks, reader=reader, workers=workers)
    return _read_here


def _read_here(chunks: Iterable[Sequence[Listed]], reader: Reader) -> Iterator[tuple[int, pa.Table]]:
    for number, chunk in enumerate(chunks):
        yield number, read_files(chunk, reader=reader)
