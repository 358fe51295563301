"""What is computed over all rows of an index, by DuckDB in bounded memory: the content digest and patient counts."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monai_unlearn.index.faults import OF_THE_DAY
from monai_unlearn.index.usable import usable_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from monai_unlearn.vocabulary.fields import Kind

# The location of a file is not content: the same images in another folder are the same index.
_NOT_CONTENT = ("path", "file_size", "file_mtime_ns")
SPILL = "spill"
_MEMORY = "96MB"
_DIGESTS_A_BATCH = 20_000
# Without the notes that depend on the day of the build; the dates themselves are content.
_IS_CONTENT = "{} not in (" + ", ".join(f"'{fault.code}'" for fault in OF_THE_DAY) + ")"


@contextmanager
def engine(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB with a low memory limit; what does not fit is spilled to disk.

    Args:
        scratch: The folder to spill to; its owner removes it.
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
    """Return `sha256:…` of the rows' content and units, independent of row order and file location.

    This is the digest of the column names followed by the sorted digests of the rows; sorting takes 32 bytes per row.

    Args:
        connection: What `engine` opened.
        parts: The Parquet files with the rows.
        columns: Their columns, with the kinds of the values.
        units: The unit of each column that declares one: the same number in another unit is a different value.
    """
    names = sorted(name for name in columns if name not in _NOT_CONTENT)
    head = {"columns": {name: columns[name].value for name in names}, "units": dict(units)}
    hasher = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    # Each value is preceded by its length, so that different rows never concatenate to the same text; null is `~`.
    row = ", ".join(f"coalesce(strlen({_text(name)})::varchar, '~'), ':', {_text(name)}" for name in names)
    digests = f"select sha256(concat({row})) as digest from read_parquet($parts) order by digest"  # noqa: S608 - quoted
    rows = connection.sql(digests, params={"parts": list(map(str, parts))})
    for batch in rows.to_arrow_reader(_DIGESTS_A_BATCH):
        hasher.update("".join(batch.column(0).to_pylist()).encode())
    return f"sha256:{hasher.hexdigest()}"


def count_patients(connection: duckdb.DuckDBPyConnection, parts: Sequence[Path]) -> tuple[int, int]:
    """Return the number of patients among the usable images, and of usable images without a patient."""
    condition, codes = usable_sql()
    counted = "select count(distinct patient), count(*) filter (patient is null) from read_parquet(?) where "
    ((patients, without),) = connection.execute(counted + condition, [list(map(str, parts)), *codes]).fetchall()
    return int(patients), int(without)


def _text(name: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if name == "faults":
        kept = f"list_filter(string_split({quoted}, '\\'), lambda code: {_IS_CONTENT.format('code')})"
        # Taking a list apart is slow, and rarely needed.
        is_asked = " or ".join(f"contains({quoted}, '{fault.code}')" for fault in OF_THE_DAY)
        return f"case when {is_asked} then nullif(array_to_string({kept}, '\\'), '') else {quoted}::varchar end"
    if name == "fault":
        return f"(case when {_IS_CONTENT.format(quoted)} then {quoted} end)::varchar"
    return f"{quoted}::varchar"
