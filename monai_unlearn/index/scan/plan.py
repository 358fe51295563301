"""Which of the listed files have to be read, and how the rows of the others are found again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.scan.moved import Moves
from monai_unlearn.index.scan.previous_rows import PreviousRows
from monai_unlearn.index.scan.spool import Spool, as_listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.index.listing import Walk
    from monai_unlearn.index.scan.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class FileCounts:
    """How the files compare with those of the last run.

    Attributes:
        reused: Files that have not changed.
        added: New files.
        changed: Files with another size or time.
        vanished: Files that no longer exist.
        moved: Files that were found at another path; they count neither as added nor as vanished.
        resumed: Files that an unfinished run had already read.
    """

    reused: int = 0
    added: int = 0
    changed: int = 0
    vanished: int = 0
    moved: int = 0
    resumed: int = 0

    def document(self) -> dict[str, int]:
        """Return this as a JSON-serialisable dict."""
        return dict(sorted(vars(self).items()))

    def with_moved(self, moved: int) -> FileCounts:
        """Return the counts with this many files as moved, rather than as added and vanished."""
        return replace(self, added=self.added - moved, vanished=self.vanished - moved, moved=moved)


@dataclass
class Plan:
    """The listed files, and which of them to read.

    Attributes:
        files: All of them.
        fresh: Those to read.
        counts: How they compare with the last run; moved files are not known yet.
        skipped: The number of entries that are not regular files.
        moves: Which files are new and which have vanished; null for a first run.
    """

    files: Spool
    fresh: Spool
    counts: FileCounts = field(default_factory=FileCounts)
    skipped: int = 0
    moves: Moves | None = None


def make_plan(walk: Walk, space: Workspace, previous: Iterator[pa.Table] | None) -> Plan:
    """List the files, and find those that are new or have changed since earlier runs read them.

    Args:
        walk: The files.
        space: Where the run works.
        previous: The rows of the files of the last index; null if there is none to reuse.
    """
    unfinished = [PreviousRows(blocks) for blocks in space.earlier_runs()]
    if previous is None and not unfinished:
        return _first_plan(walk, space)
    plan = Plan(Spool(space.folder / "listed.spool"), Spool(space.folder / "fresh.spool"))
    moves = plan.moves = None if previous is None else Moves(space.folder)
    indexed = PreviousRows(previous or (), on_unseen=None if moves is None else moves.vanished)
    reused = changed = added = resumed = 0
    for file in walk:
        plan.files.append(file)
        is_indexed = indexed.has(file)
        is_same = is_indexed and indexed.is_same(file)
        reused += is_same
        changed += is_indexed and not is_same
        added += not is_indexed
        if not is_indexed and moves is not None:
            moves.added(file)
        if is_same and indexed.is_certain():
            continue
        if any(run.has(file) and run.is_same(file) and run.is_certain() for run in unfinished):
            resumed += 1
        else:
            plan.fresh.append(file)
    indexed.finish()
    plan.files.close()
    plan.fresh.close()
    plan.skipped = walk.skipped
    vanished = indexed.rows - indexed.seen
    plan.counts = FileCounts(reused=reused, changed=changed, added=added, vanished=vanished, resumed=resumed)
    return plan


def _first_plan(walk: Walk, space: Workspace) -> Plan:
    files = Spool(space.folder / "listed.spool")
    for file in walk:
        files.append(file)
    files.close()
    return Plan(files, files, FileCounts(added=len(files)), walk.skipped)


def all_rows(plan: Plan, space: Workspace, previous: Iterator[pa.Table] | None) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the listed files, as `Spool.tables` has them, with their rows, sorted by path, some thousands at a time.

    Args:
        plan: The files; the fresh ones have been read.
        space: Where the run works.
        previous: The rows of the files of the last index; null if there is none to reuse.
    """
    if plan.fresh is plan.files:
        yield from _fresh_rows(plan, space)
        return
    sources = [PreviousRows(space.blocks(), is_fresh=True), PreviousRows(previous or ())]
    sources += [PreviousRows(blocks) for blocks in space.earlier_runs()]
    for files in plan.files.tables():
        for file in as_listed(files):
            found = next(rows for rows in sources if rows.has(file) and rows.is_same(file) and rows.is_certain())
            found.take()
        yield files, pa.concat_tables([table for rows in sources for table in rows.taken()]).sort_by("path")


def _fresh_rows(plan: Plan, space: Workspace) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the files of a first run with their rows: its blocks have them all, in their order."""
    blocks = space.blocks()
    held = next(blocks, None)
    for files in plan.files.tables():
        tables: list[pa.Table] = []
        while (missing := files.num_rows - sum(table.num_rows for table in tables)) and held is not None:
            tables.append(held.slice(0, missing))
            held = held.slice(missing) if held.num_rows > missing else next(blocks, None)
        yield files, pa.concat_tables(tables).combine_chunks()
