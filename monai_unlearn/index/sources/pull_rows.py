"""The rows of all studies of a pull, in order: kept from earlier pulls, or made of metadata that is asked for now.

Several studies are asked for at once, some ahead of the one that is next; what is held of them is bounded.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.sources.pulled import ByStudy, Pulled

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Generator, Iterable, Iterator

    from monai_unlearn.index.readers import Row
    from monai_unlearn.index.scan.workspace import Workspace
    from monai_unlearn.index.sources.study_list import Study

    Fetch = Callable[[Study], list[Row] | None]
    Finish = Callable[[list[Row]], pa.Table]

ROWS_A_BATCH = 5_000
# As many rows that were asked for are lost at most if the process is killed.
ROWS_A_BLOCK = 1_000
# Studies and instances that are held or under way.
_MOST_STUDIES, _MOST_INSTANCES = 64, 4_000
_UNKNOWN_SIZE = 20
# Where an image is, and how its file is stored, are not what its metadata says.
_ABOUT_FILE = ("file_size", "file_mtime_ns")
# Between the state of a study and the day of the check that read it.
_CHECKED = " checked "


@dataclass
class PullCounts:
    """How the studies and images compare with those of the last pull.

    Attributes:
        studies: How many studies are `reused`, `resumed` from a pull that did not end, `read`, and `vanished`.
        images: How many images are `reused`, `resumed`, `added`, `changed`, `vanished`.
        identities: How many images have another patient than at the last pull.
    """

    studies: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    identities: int = 0

    def compare(self, before: pa.Table | None, now: pa.Table) -> None:
        """Count the images of a study that was read, against those of the last pull."""
        if before is None:
            self.images["added"] += now.num_rows
            return
        old, new = ({row["path"]: row for row in table.drop(list(_ABOUT_FILE)).to_pylist()} for table in (before, now))
        both = old.keys() & new.keys()
        changed = {path for path in both if old[path] != new[path]}
        self.identities += sum(_person(old[path]) != _person(new[path]) for path in changed)
        self.images["changed"] += len(changed)
        self.images["reused"] += len(both) - len(changed)
        self.images["added"] += len(new) - len(both)
        self.images["vanished"] += len(old) - len(both)


def _person(row: dict[str, object]) -> tuple[object, object]:
    return row["PatientID"], row["issuer"]


@dataclass
class _Pending:
    """A study whose rows are there, or will be.

    Attributes:
        study: The study.
        before: Its rows at the last pull.
        rows: Its rows, or the promise of them.
        origin: What `PullCounts.studies` counts it as.
    """

    study: Study
    before: pa.Table | None
    rows: pa.Table | Future[list[Row] | None]
    origin: str

    @property
    def weight(self) -> int:
        if isinstance(self.rows, Future):
            return self.study.instances or _UNKNOWN_SIZE
        return int(self.rows.num_rows)


@dataclass
class PullRows:
    """Yields the rows of studies.

    Attributes:
        fetch: Asks for the metadata of a study, and returns its rows sorted by path; null if it is gone.
        finish: Makes a table of rows, as it may be stored.
        space: Where rows are stored as they come, so that a pull that is killed goes on from there.
        connections: How many studies are asked for at once.
        checked: The day, if metadata is asked for even of studies that seem unchanged. A check that did not end is gone
            on with on the same day only; later, what it had read may have changed.
        counts: How the studies and images compare with those of the last pull.
        fingerprints: The fingerprint of each study whose rows were yielded.
        blocks: How many blocks of rows were stored.
    """

    fetch: Fetch
    finish: Finish
    space: Workspace
    connections: int
    checked: dt.date | None = None
    counts: PullCounts = field(default_factory=PullCounts)
    fingerprints: dict[str, str] = field(default_factory=dict)
    blocks: int = 0

    def batches(self, studies: Iterable[Study], before: Pulled | None) -> Generator[pa.Table, None, None]:
        """Yield the rows of studies, sorted by path, some thousands at a time.

        Args:
            studies: The studies, sorted as `in_order` says.
            before: The last pull.
        """
        held, rows = list[pa.Table](), 0
        for table in self._blocks(self._in_turn(studies, before or Pulled())):
            held.append(table)
            rows += table.num_rows
            if rows >= ROWS_A_BATCH:
                yield pa.concat_tables(held).combine_chunks()
                held, rows = [], 0
        if held:
            yield pa.concat_tables(held).combine_chunks()

    def _in_turn(self, studies: Iterable[Study], before: Pulled) -> Iterator[_Pending]:
        """Yield the studies in their order, each with its rows or the promise of them, and ask for some ahead."""
        indexed = ByStudy(before.tables)
        unfinished = [ByStudy(blocks) for blocks in self.space.earlier_runs()]
        pending = deque[_Pending]()
        pool = ThreadPoolExecutor(self.connections, thread_name_prefix="pull")
        try:
            for study in studies:
                pending.append(self._begin(study, before, indexed, unfinished, pool))
                while len(pending) >= _MOST_STUDIES or sum(each.weight for each in pending) >= _MOST_INSTANCES:
                    yield pending.popleft()
            yield from pending
            indexed.finish()
            self.counts.images["vanished"] += indexed.passed
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _begin(
        self, study: Study, before: Pulled, indexed: ByStudy, unfinished: list[ByStudy], pool: ThreadPoolExecutor
    ) -> _Pending:
        old = indexed.take(study.key)
        rows = None if old is None else old[0]
        for run in unfinished:
            found = run.take(study.key)
            if found is not None and self._is_now(study, found[1]):
                return _Pending(study, rows, found[0], "resumed")
        is_same = not study.change and before.studies.get(study.key) == study.fingerprint
        if study.uid is None or (is_same and self.checked is None):
            return _Pending(study, rows, _empty(rows), "reused")
        return _Pending(study, rows, pool.submit(self.fetch, study), "read")

    def _state(self, study: Study) -> str:
        return study.state if self.checked is None else f"{study.state}{_CHECKED}{self.checked}"

    def _is_now(self, study: Study, stated: str | None) -> bool:
        """Return whether rows that an unfinished pull stored are those of the study as it is now."""
        if self.checked is None:
            return (stated or "").partition(_CHECKED)[0] == study.state
        return stated == self._state(study)

    def _blocks(self, pending: Iterable[_Pending]) -> Iterator[pa.Table]:
        """Yield the rows of studies as they are there; those that were read are stored, block by block."""
        block: list[tuple[_Pending, list[Row]]] = []
        try:
            for each in pending:
                if isinstance(each.rows, Future):
                    rows = each.rows.result()
                    if rows is None:  # gone since the studies were listed
                        self.counts.studies["vanished"] += 1
                        self.counts.images["vanished"] += 0 if each.before is None else each.before.num_rows
                        continue
                    block.append((each, rows))
                    if sum(len(rows) for _, rows in block) < ROWS_A_BLOCK:
                        continue
                done, block = block, []
                yield from self._stored(done)
                if not isinstance(each.rows, Future):
                    yield self._known(each, each.rows)
            done, block = block, []
            yield from self._stored(done)
        finally:  # what was read before an error is not asked for again
            list(self._stored(block))

    def _known(self, each: _Pending, rows: pa.Table) -> pa.Table:
        """Count the rows of a study that an earlier pull read."""
        self.fingerprints[each.study.key] = each.study.fingerprint
        self.counts.studies[each.origin] += 1
        if each.origin == "reused":
            self.counts.images["reused"] += rows.num_rows
        else:
            self.counts.compare(each.before, rows)
            self.counts.images["resumed"] += rows.num_rows
        return rows

    def _stored(self, block: list[tuple[_Pending, list[Row]]]) -> Iterator[pa.Table]:
        """Store the rows of studies that were read, count them, and yield them."""
        if not block:
            return
        table = self.finish([row for _, rows in block for row in rows])
        notes = json.dumps({each.study.key: self._state(each.study) for each, _ in block})
        self.space.add_block(self.blocks, table, notes=notes)
        self.blocks += 1
        begin = 0
        for each, rows in block:
            self.fingerprints[each.study.key] = each.study.fingerprint
            self.counts.studies["read"] += 1
            self.counts.compare(each.before, table.slice(begin, len(rows)))
            begin += len(rows)
        yield table


def listed(rows: pa.Table) -> pa.Table:
    """Return rows as the files of a build are listed: `scan/spool.py` says how."""
    nothing = pa.nulls(rows.num_rows, pa.int64())
    return pa.table(
        {
            "path": rows["path"],
            "relative": rows["path"],
            "size": nothing,
            "mtime_ns": nothing,
            "named": pc.is_null(rows["path"]),
            "fault": pa.nulls(rows.num_rows, pa.string()),
        }
    )


def _empty(rows: pa.Table | None) -> pa.Table:
    from monai_unlearn.index.fast_readers import schema

    return schema().empty_table() if rows is None else rows
