"""Which new files have moved: recognised by their content, not by their names alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.scan.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from monai_unlearn.index.listing import Listed

_COMPARED = ("path", "file_size", "file_mtime_ns", "SOPInstanceUID")


class Moves:
    """The files that are new and those that have vanished, on disk until all files are read.

    Attributes:
        new: The new files.

    Args:
        folder: Where to store them.
    """

    def __init__(self, folder: Path) -> None:
        self.new = Spool(folder / "new.spool")
        self._gone = folder / "gone.arrow"
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def added(self, file: Listed) -> None:
        """Add a file that is new."""
        self.new.append(file)

    def vanished(self, rows: pa.Table) -> None:
        """Add the rows of files that have vanished."""
        rows = rows.select(_COMPARED)
        if self._writer is None:
            self._writer = pa.ipc.new_file(str(self._gone), rows.schema)
        self._writer.write_table(rows)

    def count(self, connection: duckdb.DuckDBPyConnection, rows: Path) -> int:
        """Return how many files have moved.

        A moved file has the SOPInstanceUID of a vanished one; without a SOPInstanceUID, it has the same name, size and
        time. A moved file is read like a new one: the count is only reported.

        Args:
            connection: A connection from `digest.engine`.
            rows: The Parquet file with the rows of all files.
        """
        self.new.close()
        if self._writer is None:
            return 0
        self._writer.close()
        if not len(self.new):
            return 0
        with pa.memory_map(str(self._gone)) as gone_source, pa.ipc.open_file(gone_source) as gone:
            connection.register("gone", gone.read_all())
            connection.sql("create temp table new_paths (path varchar)")
            for batch in self.new.batches():
                names = pa.table({"path": [file.path for file in batch]})
                connection.register("batch", names)
                connection.execute("insert into new_paths select path from batch")
            ((moved,),) = connection.execute(_COUNT, {"rows": str(rows)}).fetchall()
        return int(moved or 0)


_KEY = "coalesce(SOPInstanceUID, concat_ws('/', parse_filename(path), file_size, file_mtime_ns))"
_COUNT = f"""
with new as (
    select {_KEY} as key, count(*) as files from read_parquet($rows) semi join new_paths using (path) group by key
), old as (
    select {_KEY} as key, count(*) as files from gone group by key
)
select sum(least(new.files, old.files)) from new join old using (key)
"""  # noqa: S608 - nothing but the constant above
