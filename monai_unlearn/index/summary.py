"""What an index contains, to consult before writing a spec: files, faults, fill rates, devices."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.row_faults import has_fault
from monai_unlearn.index.store.check_files import remedy
from monai_unlearn.index.store.store import read_document
from monai_unlearn.index.usable import counted_faults, usable_array
from monai_unlearn.vocabulary.privacy import handle_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.index.store.store import Index

EXAMPLES = 3
_DEVICE = ("Manufacturer", "ManufacturerModelName")
# Columns about the file rather than the image.
_NOT_TAGS = frozenset(("image_id", "path", "format", "fault", "faults", "file_size", "file_mtime_ns"))


def summarise(index: Index, *, examples: int = EXAMPLES) -> dict[str, Any]:
    """Return what an index contains, as a document for JSON.

    Keys: `index`, `digest`, `rows`, `images`, `patients`, `studies`, `series`, `formats` (images by format),
    `faults` (by code: `count`, `usable`, `sentence`, `examples`: paths, all of contradicting copies), `fill` (for each
    column the share of images, 0 to 1, that have a value), `devices` (`manufacturer`, `model`, `images`; most images
    first), `ignored`, `sources`. It contains no value that identifies a patient, unless a path does.

    Args:
        index: The index.
        examples: The number of paths to list for each fault.

    Raises:
        IndexReadError: A part cannot be read.
    """
    counts = _Counts()
    for part in _parts(index):
        counts.add(part, examples)
    document = read_document(index.directory)
    return {
        "index": str(index.directory),
        "digest": index.digest,
        "rows": index.rows,
        "images": index.images,
        **counts.units(),
        "formats": dict(sorted(counts.formats.items())),
        "faults": counts.faults(),
        "fill": {
            name: round(counts.filled[name] / max(index.images, 1), 4)
            for name in index.columns
            if name not in _NOT_TAGS
        },
        "devices": counts.devices(),
        "ignored": document.get("ignored", 0),
        "sources": document.get("sources", []),
    }


def without_paths(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a summary with handles in place of the paths of its examples: they may hold names of patients."""
    faults = {
        code: {**fault, "examples": list(map(handle_of, fault["examples"]))}
        for code, fault in summary["faults"].items()
    }
    return {**summary, "faults": faults}


def _parts(index: Index) -> Iterator[pa.Table]:
    """Yield the parts one by one: the index of a hospital may not fit into memory."""
    for path in index.parts:
        yield _part(index, path)


def _part(index: Index, path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException):
        raise IndexReadError(f"{path}: this part of the index cannot be read. {remedy(index.directory)}") from None


class _Counts:
    """Running counts over the parts."""

    def __init__(self) -> None:
        self.formats: dict[str, int] = {}
        self.filled: dict[str, int] = {}
        self._faults: dict[str, tuple[int, list[str]]] = {}
        self._devices: dict[tuple[str | None, ...], int] = {}
        self._names: dict[str, list[pa.Array]] = {"patient": [], "study": [], "series": []}

    def add(self, part: pa.Table, examples: int) -> None:
        """Count the rows of one part."""
        fault = part["fault"]
        images = part.filter(usable_array(fault))
        for name in part.column_names:
            column = images[name]
            self.filled[name] = self.filled.get(name, 0) + len(column) - column.null_count
        for name, seen in self._names.items():
            seen.append(pc.unique(images[name].drop_null()))
        _tally(self.formats, images["format"])
        self._add_faults(part.filter(pc.is_valid(fault)), examples)
        self._add_devices(images)

    def _add_faults(self, faulty: pa.Table, examples: int) -> None:
        combinations: dict[str, int] = {}
        _tally(combinations, faulty["faults"])
        found: Counter[str] = Counter()
        for codes, count in combinations.items():
            found.update(dict.fromkeys(counted_faults(codes), count))
        for code, count in found.items():
            before, paths = self._faults.get(code, (0, []))
            # Whoever has contradicting copies must see all of them to tell which are right.
            limit = before + count if code == Fault.CONFLICTING_DUPLICATE.code else examples
            if len(paths) < limit:
                of_code = _having(Fault.of(code), faulty)["path"].drop_null()
                paths = [*paths, *of_code.slice(0, limit - len(paths)).to_pylist()]
            self._faults[code] = before + count, paths

    def _add_devices(self, images: pa.Table) -> None:
        names = [name for name in _DEVICE if name in images.column_names]
        if not names:
            return
        grouped = images.select(names).group_by(names).aggregate([([], "count_all")])
        for row in grouped.to_pylist():
            device = tuple(row.get(name) for name in _DEVICE)
            self._devices[device] = self._devices.get(device, 0) + row["count_all"]

    def units(self) -> dict[str, int]:
        """Return the numbers of patients, studies and series of the images."""
        words = {"patient": "patients", "study": "studies", "series": "series"}
        return {
            words[name]: len(pc.unique(pa.chunked_array(seen, pa.string()))) if seen else 0
            for name, seen in self._names.items()
        }

    def faults(self) -> dict[str, dict[str, Any]]:
        """Return each fault by its code, in the order of `Fault`."""
        return {
            fault.code: {
                "count": self._faults[fault.code][0],
                "usable": fault.usable,
                "sentence": fault.sentence,
                "examples": self._faults[fault.code][1],
            }
            for fault in Fault
            if fault.code in self._faults
        }

    def devices(self) -> list[dict[str, Any]]:
        """Return the devices, most images first; none if the index has no such tags."""
        ordered = sorted(self._devices.items(), key=lambda pair: (-pair[1], *(name or "" for name in pair[0])))
        return [
            {"manufacturer": manufacturer, "model": model, "images": count} for (manufacturer, model), count in ordered
        ]


def _having(fault: Fault, rows: pa.Table) -> pa.Table:
    """Return the rows that count for a fault, as `counted_faults` has it."""
    having = has_fault(rows, fault)
    return rows.filter(pc.and_(having, usable_array(rows["fault"])) if fault.usable else having)


def _tally(counts: dict[str, int], column: pa.ChunkedArray) -> None:
    for pair in column.drop_null().value_counts().to_pylist():
        counts[pair["values"]] = counts.get(pair["values"], 0) + pair["counts"]
