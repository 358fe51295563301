"""The digest of an index's content, and what else takes a look at all rows: by DuckDB, within bounded memory."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monai_unlearn.index.usable import usable_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from monai_unlearn.vocabulary.fields import Kind

# Where a file lies is not its content: the same images in another folder are the same index.
_NOT_CONTENT = ("path", "file_size", "file_mtime_ns")
SPILL = "spill"
_MEMORY = "96MB"
_DIGESTS_A_BATCH = 20_000


@contextmanager
def engine(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB with little memory; what does not fit goes to a folder, which is removed in the end with its owner.

    Args:
        scratch: The folder.
    """
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": _MEMORY,
            "temp_directory": str(scratch / SPILL),
            "threads": 2,
            "preserve_insertion_order": False,
        }
    )
    try:
        yield connection
    finally:
        connection.close()


def content_digest(
    connection: duckdb.DuckDBPyConnection,
    parts: Sequence[Path],
    columns: Mapping[str, Kind],
    units: Mapping[str, str],
) -> str:
    """Return `sha256:…` of the rows' content and its units, whatever their order and wherever the files lie.

    It is the digest of the rows' digests, sorted, behind the names of the columns; so it takes 32 bytes a row to
    sort, and no row need stand beside another.

    Args:
        connection: What `engine` opened.
        parts: The Parquet files of the rows.
        columns: Their columns, with the kinds of the values.
        units: The unit of each column that declares one: the same number in another unit is another size.
    """
    names = sorted(name for name in columns if name not in _NOT_CONTENT)
    head = {"columns": {name: columns[name].value for name in names}, "units": dict(units)}
    hasher = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    # Each value stands behind its length, so that no two rows are spelled alike; a missing one is a sign of its own.
    row = ", ".join(f"coalesce(strlen({_text(name)})::varchar, '~'), ':', {_text(name)}" for name in names)
    digests = f"select sha256(concat({row})) as digest from read_parquet($parts) order by digest"  # noqa: S608 - quoted
    rows = connection.sql(digests, params={"parts": list(map(str, parts))})
    for batch in rows.to_arrow_reader(_DIGESTS_A_BATCH):
        hasher.update("".join(batch.column(0).to_pylist()).encode())
    return f"sha256:{hasher.hexdigest()}"


def count_patients(connection: duckdb.DuckDBPyConnection, parts: Sequence[Path]) -> tuple[int, int]:
    """Return how many patients the usable images have, and how many usable images have none."""
    condition, codes = usable_sql()
    counted = "select count(distinct patient), count(*) filter (patient is null) from read_parquet(?) where "
    ((patients, without),) = connection.execute(counted + condition, [list(map(str, parts)), *codes]).fetchall()
    return int(patients), int(without)


def _text(name: str) -> str:
    quoted = name.replace('"', '""')
    return f'"{quoted}"::varchar'
