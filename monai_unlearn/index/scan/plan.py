"""Which of the listed files have to be read, and how the rows of the others are found again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.scan import spool
from monai_unlearn.index.scan.moved import Moves
from monai_unlearn.index.scan.previous_rows import PreviousRows
from monai_unlearn.index.scan.spool import Spool, as_listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monai_unlearn.index.listing import Listed, Walk
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

    A first run reads all of them; so it lists them only as they are read. What is said of files is then complete when
    all of them are.

    Attributes:
        files: All of them.
        fresh: Those to read.
        counts: How they compare with the last run; moved files are not known yet.
        skipped: The number of entries that are not regular files.
        moves: Which files are new and which have vanished; null for a first run.
        walk: The files of a first run that is not listed yet.
    """

    files: Spool
    fresh: Spool
    counts: FileCounts = field(default_factory=FileCounts)
    skipped: int = 0
    moves: Moves | None = None
    walk: Walk | None = None

    def to_read(self) -> Iterable[Listed]:
        """Return the files to read; only if all of them are known does this have a length."""
        return self.fresh if self.walk is None else self._listed(self.walk)

    def _listed(self, walk: Walk) -> Iterator[Listed]:
        for file in walk:
            self.files.append(file)
            yield file
        self.files.close()
        self.counts, self.skipped = FileCounts(added=len(self.files)), walk.skipped


def make_plan(walk: Walk, space: Workspace, previous: Iterator[pa.Table] | None) -> Plan:
    """List the files, and find those that are new or have changed since earlier runs read them.

    Args:
        walk: The files.
        space: Where the run works.
        previous: The rows of the files of the last index; null if there is none to reuse.
    """
    unfinished = [PreviousRows(blocks) for blocks in space.earlier_runs()]
    if previous is None and not unfinished:
        files = Spool(space.folder / "listed.spool")
        return Plan(files, files, walk=walk)
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


def all_rows(
    plan: Plan, space: Workspace, previous: Iterator[pa.Table] | None, blocks: Iterable[int]
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the listed files, as `Spool.tables` has them, with their rows, sorted by path, some thousands at a time.

    Those of a first run come while later files are read.

    Args:
        plan: The files.
        space: Where the run works.
        previous: The rows of the files of the last index; null if there is none to reuse.
        blocks: The blocks of fresh files, by their numbers, as they are read.
    """
    if plan.fresh is plan.files:
        yield from _as_read(plan, space, blocks)
        return
    for _ in blocks:  # the order of files is that of their paths, and any of them may be fresh
        pass
    sources = [PreviousRows(space.blocks(), is_fresh=True), PreviousRows(previous or ())]
    sources += [PreviousRows(blocks) for blocks in space.earlier_runs()]
    for files in plan.files.tables():
        for file in as_listed(files):
            found = next(rows for rows in sources if rows.has(file) and rows.is_same(file) and rows.is_certain())
            found.take()
        yield files, pa.concat_tables([table for rows in sources for table in rows.taken()]).sort_by("path")


def _as_read(plan: Plan, space: Workspace, blocks: Iterable[int]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the files of a first run with their rows: its blocks have them all, in their order."""
    tables, held = plan.files.tables(), _Held()
    for number in _in_turn(blocks):
        held.add(space.block(number))
        while held.rows >= spool.FILES_A_BATCH:  # a file is listed before it is read, so a whole batch is listed too
            yield (files := next(tables)), held.take(files.num_rows)
    for files in tables:
        yield files, held.take(files.num_rows)


def _in_turn(numbers: Iterable[int]) -> Iterator[int]:
    """Yield 0, 1, 2, … as soon as each of these numbers has come, in any order."""
    early, turn = set[int](), 0
    for number in numbers:
        early.add(number)
        while turn in early:
            early.remove(turn)
            yield turn
            turn += 1


@dataclass
class _Held:
    """Rows that have been read, and wait for their batch to be complete."""

    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0

    def add(self, table: pa.Table) -> None:
        self.tables.append(table)
        self.rows += table.num_rows

    def take(self, rows: int) -> pa.Table:
        whole = pa.concat_tables(self.tables)
        self.tables, self.rows = [whole.slice(rows)], self.rows - rows
        return whole.slice(0, rows).combine_chunks()
