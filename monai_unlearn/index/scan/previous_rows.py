"""What earlier runs read of files, met with the files of now: two streams sorted by path, neither ever held whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

    from monai_unlearn.index.listing import Listed

# What these faults say may change while the file's size and time stay.
_NEVER_REUSED = frozenset((Fault.PERMISSION_DENIED.code, Fault.SYMLINK_LOOP.code, Fault.UNREADABLE.code))


class PreviousRows:
    """Rows of files, sorted by path, asked for in that order.

    Attributes:
        rows: How many rows were passed so far.
        seen: How many of them were of a file that was asked for, as it was or changed.

    Args:
        tables: The rows, piece by piece.
        is_fresh: Whether this run read them, so that no fault of theirs is doubted.
        on_unseen: Takes the rows of files that nobody asked for.
    """

    def __init__(
        self,
        tables: Iterable[pa.Table],
        *,
        is_fresh: bool = False,
        on_unseen: Callable[[pa.Table], None] | None = None,
    ) -> None:
        self._tables = iter(tables)
        self._doubted = frozenset[str]() if is_fresh else _NEVER_REUSED
        self._on_unseen = on_unseen
        self._taken: list[int] = []
        self._full: list[pa.Table] = []
        self._table: pa.Table | None = None
        self._seen: list[int] = []
        self._at = self._end = 0
        self.rows = self.seen = 0
        self._next()

    def has(self, file: Listed) -> bool:
        """Return whether a file of this path is known, as it is or as it was."""
        path = file.path
        while self._at < self._end and self._paths[self._at] < path:
            self._at += 1
            if self._at == self._end:
                self._next()
        if self._at == self._end or self._paths[self._at] != path:
            return False
        if self._seen[-1:] != [self._at]:
            self._seen.append(self._at)
        return True

    def is_same(self, file: Listed) -> bool:
        """Return whether the file that `has` has just found has not changed."""
        at = self._at
        return (file.size, file.mtime_ns) == (self._sizes[at], self._times[at])

    def is_certain(self) -> bool:
        """Return whether what is known of that file may be used again."""
        return self._faults[self._at] not in self._doubted

    def take(self) -> None:
        """Take the row of that file, for `taken`."""
        self._taken.append(self._at)

    def taken(self) -> list[pa.Table]:
        """Return the rows that were taken since the last call."""
        self._keep()
        full, self._full = self._full, []
        return full

    def finish(self) -> None:
        """Pass the rows that are left."""
        while self._at < self._end:
            self._next()

    def _keep(self) -> None:
        if self._taken and self._table is not None:
            self._full.append(self._table.take(self._taken))
        self._taken = []

    def _next(self) -> None:
        if self._table is not None:
            self._keep()
            self.seen += len(self._seen)
            if self._on_unseen is not None and len(self._seen) < self._end:
                seen = set(self._seen)
                self._on_unseen(self._table.take([row for row in range(self._end) if row not in seen]))
        self._table = next((table for table in self._tables if table.num_rows), None)
        self._at, self._end = 0, 0 if self._table is None else self._table.num_rows
        self._seen = []
        self.rows += self._end
        if self._table is not None:
            columns = (self._table[name].to_pylist() for name in ("path", "file_size", "file_mtime_ns", "fault"))
            self._paths, self._sizes, self._times, self._faults = columns
