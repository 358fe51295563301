"""What an earlier pull left in an index: its studies, its rows study by study, and its cursor."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.scan.previous_rows import kept_files
from monai_unlearn.index.scan.workspace import NOTES
from monai_unlearn.index.store.file_digest import file_digest
from monai_unlearn.index.store.store import read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_SCHEMA = pa.schema({"study": pa.string(), "fingerprint": pa.string()})


@dataclass(frozen=True)
class Pulled:
    """An earlier pull of the same archive and query.

    Attributes:
        studies: The fingerprint of each study, by its key.
        cursor: What the archive is asked with for what has changed.
        tables: The rows, sorted by path.
    """

    studies: Mapping[str, str] = field(default_factory=dict)
    cursor: Mapping[str, Any] | None = None
    tables: Iterable[pa.Table] = ()

    @classmethod
    def of(cls, directory: Path, mark: Mapping[str, str]) -> Pulled | None:
        """Return what the index in a folder has; null if it cannot be reused.

        Args:
            directory: The folder.
            mark: The metadata that its rows must have.
        """
        tables = kept_files(directory, mark)
        if tables is None:
            return None
        try:
            document = read_document(directory)
            name = str(document.get("studies"))
            if document["digests"].get(name) != file_digest(directory / name):
                return None
            rows = pq.read_table(directory / name, schema=_SCHEMA).to_pydict()
        except (IndexReadError, KeyError, OSError, pa.ArrowException):
            return None
        cursor = document.get("pulled", {}).get("cursor")
        return cls(dict(zip(rows["study"], rows["fingerprint"], strict=True)), cursor, tables)


def write_studies(path: Path, studies: Mapping[str, str]) -> None:
    """Write the fingerprint of each study as a Parquet file."""
    columns = {"study": list(studies), "fingerprint": list(studies.values())}
    pq.write_table(pa.table(columns, schema=_SCHEMA), path, compression="zstd")


def path_of(study: str, series: str | None, instance: str) -> str:
    """Return the path of an image in an index: where DICOMweb has it, below the root of the services.

    >>> path_of("1.2", "1.2.3", "1.2.3.4")
    'studies/1.2/series/1.2.3/instances/1.2.3.4'
    """
    return f"studies/{study}/series/{series or '-'}/instances/{instance}"


def study_in(path: str) -> str:
    """Return the key of the study in such a path."""
    return path.split("/", 2)[1]


def in_order(key: str) -> str:
    """Return what studies are sorted by, so that their rows are sorted by path."""
    return f"{key}/"


class ByStudy:
    """Rows sorted by path, to be asked for study by study, in the order of the studies' keys.

    Attributes:
        passed: How many rows so far are those of studies that were not asked for.

    Args:
        tables: The rows.
    """

    def __init__(self, tables: Iterable[pa.Table]) -> None:
        self._groups = _groups(tables)
        self._next = next(self._groups, None)
        self.passed = 0

    def take(self, key: str) -> tuple[pa.Table, str | None] | None:
        """Return the rows of a study, with the fingerprint that its block states; null if there are none."""
        while self._next is not None and in_order(self._next[0]) < in_order(key):
            self._pass()
        if self._next is None or self._next[0] != key:
            return None
        _, rows, fingerprint = self._next
        self._next = next(self._groups, None)
        return rows, fingerprint

    def finish(self) -> None:
        """Pass the remaining rows."""
        while self._next is not None:
            self._pass()

    def _pass(self) -> None:
        self.passed += 0 if self._next is None else self._next[1].num_rows
        self._next = next(self._groups, None)


def _groups(tables: Iterable[pa.Table]) -> Iterator[tuple[str, pa.Table, str | None]]:
    """Yield each study with its rows and fingerprint; its rows may stand in two tables that follow each other."""
    key, fingerprint, held = "", None, list[pa.Table]()
    for table in tables:
        notes = (table.schema.metadata or {}).get(NOTES)
        stated: dict[str, str] = json.loads(notes) if notes else {}
        begin, keys = 0, [study_in(path) for path in table["path"].to_pylist()]
        for end in range(1, len(keys) + 1):
            if end < len(keys) and keys[end] == keys[begin]:
                continue
            if held and keys[begin] != key:
                yield key, pa.concat_tables(held), fingerprint
                held = []
            key, fingerprint = keys[begin], stated.get(keys[begin])
            held.append(table.slice(begin, end - begin).replace_schema_metadata(None))
            begin = end
    if held:
        yield key, pa.concat_tables(held), fingerprint
