"""Writes the rows of an index as Parquet parts, one part in memory at a time."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.index.store.store import PARTS
from monai_unlearn.index.usable import counted_faults, usable_array

if TYPE_CHECKING:
    from pathlib import Path

ROWS_A_PART = 100_000
# Reading a part takes the memory of this many rows per thread; so the digest of a wide index fits into DuckDB's limit.
_ROWS_A_GROUP = 20_000
_LEAST_ROWS_A_GROUP = 2_000


class PartWriter:
    """Writes rows as the parts of an index, in their order, and counts rows and faults.

    Attributes:
        stage: The folder that becomes the index.
        parts: The names of the parts so far.
        rows: The number of rows so far.
        faults: How many of them have each fault, by its code, and how many images each note; a row may have several.

    Args:
        stage: The folder that becomes the index.
    """

    def __init__(self, stage: Path) -> None:
        self.stage = stage
        self.parts: list[str] = []
        self.rows = 0
        self.faults: Counter[str] = Counter()
        self._held: list[pa.Table] = []
        self._holds = self._images = 0
        (stage / PARTS).mkdir(parents=True)

    def write(self, rows: pa.Table) -> None:
        """Add rows, and write every part that is full."""
        self.rows += rows.num_rows
        for pair in rows["faults"].drop_null().value_counts().to_pylist():
            self.faults.update(dict.fromkeys(counted_faults(pair["values"]), pair["counts"]))
        self._images += pc.sum(usable_array(rows["fault"])).as_py() or 0
        while self._holds + rows.num_rows >= ROWS_A_PART:
            room = ROWS_A_PART - self._holds
            self._hold(rows.slice(0, room))
            rows = rows.slice(room)
            self._write_part()
        self._hold(rows)

    def close(self) -> None:
        """Write the last part; an index without rows has one empty part."""
        if self._holds or (self._held and not self.parts):
            self._write_part()

    def counts(self) -> dict[str, Any]:
        """Return the numbers of rows, images and faults, for `index.json`."""
        return {"images": self._images, "rows": self.rows, "faults": dict(sorted(self.faults.items()))}

    def _hold(self, rows: pa.Table) -> None:
        self._held.append(rows)
        self._holds += rows.num_rows

    def _write_part(self) -> None:
        stem = f"{PARTS}/part-{len(self.parts):05d}"
        path = self.stage / f"{stem}.parquet"
        # Two threads compute a digest: of a small part, each of them gets a group.
        rows = min(_ROWS_A_GROUP, max(_LEAST_ROWS_A_GROUP, -(-self._holds // 2)))
        pq.write_table(pa.concat_tables(self._held), path, compression="zstd", row_group_size=rows)
        self.parts.append(named_by_content(path, self.stage))
        self._held, self._holds = [], 0


def named_by_content(path: Path, stage: Path) -> str:
    """Add the first digits of the file's digest to its name, and return the new name relative to the stage.

    A part of a new index therefore never has the name of a different part of the index that it replaces.
    """
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    named = path.with_name(f"{path.stem}-{digest.hexdigest()[:12]}{path.suffix}")
    path.replace(named)
    return named.relative_to(stage).as_posix()
