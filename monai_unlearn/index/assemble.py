"""From the rows of files to the rows of an index: what identifies each image, and its format; batch by batch."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.index.derived import with_image_like
from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import looks_like_image
from monai_unlearn.index.notes import DateTally
from monai_unlearn.index.plausible import today
from monai_unlearn.index.row_faults import with_fault
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

_FROM_TAGS = {"patient": "PatientID", "study": "StudyInstanceUID", "series": "SeriesInstanceUID"}
_IDS = pa.schema(
    {
        "relative": pa.string(),
        "image_id": pa.string(),
        "is_row": pa.bool_(),
        "is_dicom": pa.bool_(),  # a DICOM image, whose identifier must be unique
        "is_plain": pa.bool_(),  # an image of another format, whose identifier must be unique too
    }
)


@dataclass
class Collected:
    """The rows of all files, on disk, and totals over them.

    Attributes:
        files: The Parquet file of all rows, sorted by path; the next run reads it.
        ids: A second Parquet file, row by row, with what identifies each file: `relative`, its path within its source,
            and more.
        rows: The number of rows of the index; files that do not look like images are not rows.
        usable: How many of these count as images.
        has_dicom: Whether one of them is a DICOM file.
        has_plain: Whether one of them has another format.
        faults: How many of them have each fault, by its code.
        first: The path of the first.
        named: The files that the user named: their numbers, paths and faults.
        dates: Whether the dates of the images were shifted by de-identification.
    """

    files: Path
    ids: Path
    rows: int = 0
    usable: int = 0
    has_dicom: bool = False
    has_plain: bool = False
    faults: Counter[str] = field(default_factory=Counter)
    first: str = ""
    named: list[tuple[int, str, str | None]] = field(default_factory=list)
    dates: DateTally = field(default_factory=lambda: DateTally(today()))

    @property
    def tags(self) -> Mapping[str, Kind]:
        """The columns of DICOM files, with their kinds; empty if no file is DICOM."""
        return {**vocabulary().dicom, **vocabulary().derived} if self.has_dicom else {}

    def note(self, number: int, listed: pa.Table, rows: pa.Table, ids: pa.Table) -> None:
        """Add a batch of files to the totals; the first file of the batch has this number."""
        for at in pc.indices_nonzero(listed["named"]).to_pylist():
            self.named.append((number + at, listed["path"][at].as_py(), rows["fault"][at].as_py()))
        kept = rows.filter(ids["is_row"])
        if kept.num_rows and not self.rows:
            self.first = kept["path"][0].as_py()
        is_dicom = pc.equal(kept["format"], "dicom")
        self.has_dicom |= bool(pc.any(is_dicom).as_py())
        self.has_plain |= bool(pc.any(pc.invert(is_dicom)).as_py())
        self.dates.add(kept)
        self.rows += kept.num_rows
        self.usable += pc.sum(usable_array(kept["fault"])).as_py() or 0
        for pair in kept["fault"].drop_null().value_counts().to_pylist():
            self.faults[pair["values"]] += pair["counts"]


@dataclass(frozen=True)
class Duplicates:
    """The files with the SOPInstanceUID of another file, by their numbers in ascending order.

    Attributes:
        copies: Those that agree with an earlier file; they do not count.
        conflicts: Those that count although they contradict another.
        suffixes: What the `image_id` of a conflicting file has behind its SOPInstanceUID; empty for the first.
    """

    copies: npt.NDArray[np.int64]
    conflicts: npt.NDArray[np.int64]
    suffixes: tuple[str, ...] = ()


def collect(
    batches: Iterable[tuple[pa.Table, pa.Table]],
    *,
    files: Path,
    ids: Path,
    mark: Mapping[str, str],
    derived: bool = False,
    built: dt.date | None = None,
) -> Collected:
    """Write the rows of all files, and what identifies each.

    Args:
        batches: The listed files, as `scan/spool.py` has them, with their rows, sorted by path.
        files: The Parquet file to write the rows to.
        ids: The Parquet file to write the identifiers to.
        mark: The metadata of the rows, by which the next run decides whether it may reuse them.
        derived: Whether derived objects that have pixels count as images.
        built: The day of the build; null for today.
    """
    collected = Collected(files, ids, dates=DateTally(built or today()))
    number = 0
    with (
        pq.ParquetWriter(files, schema().with_metadata(mark), compression="zstd") as files_writer,
        pq.ParquetWriter(ids, _IDS, compression="lz4", use_dictionary=False) as ids_writer,
    ):
        for listed, rows in batches:
            files_writer.write_table(rows)
            rows = with_image_like(rows) if derived else rows  # noqa: PLW2901 - what was read stays as it is
            named = _ids(listed, rows)
            ids_writer.write_table(named)
            collected.note(number, listed, rows, named)
            number += listed.num_rows
        if not number:
            files_writer.write_table(schema().empty_table())
            ids_writer.write_table(_IDS.empty_table())
    return collected


def assembled(collected: Collected, duplicates: Duplicates, *, derived: bool = False) -> Iterator[pa.Table]:
    """Yield the rows of the index, sorted by path, some thousands at a time.

    The additional column `relative`, the path within the source, is for matching tables.

    Args:
        collected: The files.
        duplicates: The files that have the identifier of another.
        derived: Whether derived objects that have pixels count as images.
    """
    dropped = {"SOPInstanceUID", *vocabulary().dicom, *vocabulary().derived} - set(collected.tags)
    names = {tag: name for name, tag in _FROM_TAGS.items()}
    begin = 0
    with pq.ParquetFile(collected.files) as files, pq.ParquetFile(collected.ids) as ids:
        for group in range(files.num_row_groups):
            rows, named = files.read_row_group(group), ids.read_row_group(group, use_threads=False)
            end = begin + rows.num_rows
            rows = with_image_like(rows) if derived else rows
            rows = _marked(rows, duplicates.copies, begin, Fault.DUPLICATE_SOP_INSTANCE_UID)
            rows = _marked(rows, duplicates.conflicts, begin, Fault.CONFLICTING_DUPLICATE)
            names_of_images = _named(named["image_id"], duplicates, begin, end)
            begin = end
            rows = rows.select([name for name in rows.column_names if name not in dropped])
            rows = rows.rename_columns([names.get(name, name) for name in rows.column_names])
            rows = rows.append_column("patient_ids", rows["patient"])
            rows = rows.append_column("image_id", names_of_images).append_column("relative", named["relative"])
            yield rows.replace_schema_metadata(None).filter(named["is_row"])


def _marked(rows: pa.Table, numbers: npt.NDArray[np.int64], begin: int, fault: Fault) -> pa.Table:
    """Return a batch with a fault on the rows of these numbers, which ascend; its first row has the number `begin`."""
    low, high = np.searchsorted(numbers, (begin, begin + rows.num_rows))
    if low == high:
        return rows
    mask = np.zeros(rows.num_rows, bool)
    mask[numbers[low:high] - begin] = True
    return with_fault(rows, pa.array(mask), fault)


def _named(names: pa.ChunkedArray, duplicates: Duplicates, begin: int, end: int) -> pa.ChunkedArray:
    """Return the identifiers of images, made unique where copies contradict each other."""
    low, high = np.searchsorted(duplicates.conflicts, (begin, end))
    if low == high:
        return names
    texts = names.to_pylist()
    for number, suffix in zip(duplicates.conflicts[low:high], duplicates.suffixes[low:high], strict=True):
        texts[number - begin] += suffix
    return pa.chunked_array([pa.array(texts, pa.string())])


def _ids(listed: pa.Table, rows: pa.Table) -> pa.Table:
    has_format = pc.is_valid(rows["format"])
    is_dicom = pc.and_(has_format, pc.fill_null(pc.equal(rows["format"], "dicom"), fill_value=False))
    is_plain = pc.and_(has_format, pc.invert(is_dicom))
    return pa.table(
        {
            "relative": listed["relative"],
            "image_id": _image_ids(listed, rows["SOPInstanceUID"]),
            "is_row": has_format if pc.all(has_format).as_py() else _are_rows(listed, has_format),
            "is_dicom": pc.and_(is_dicom, usable_array(rows["fault"])),
            "is_plain": pc.and_(is_plain, pc.is_null(rows["fault"])),
        },
        schema=_IDS,
    )


def _image_ids(listed: pa.Table, uids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the SOPInstanceUIDs; a file without one has a digest of its path within its source."""
    if not uids.null_count:
        return uids
    found = zip(uids.to_pylist(), listed["relative"].to_pylist(), strict=True)
    ids = [hashlib.sha256(relative.encode()).hexdigest()[:32] if uid is None else uid for uid, relative in found]
    return pa.chunked_array([pa.array(ids, pa.string())])


def _are_rows(listed: pa.Table, has_format: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which files have a row of the index: images, and others that look like one or that the user named."""
    looks = pa.array([looks_like_image(path) for path in listed["path"].to_pylist()], pa.bool_())
    return pc.or_(has_format, pc.or_(listed["named"], looks))
