"""From what the files say to the rows of an index: ids, and which files stand twice; batch by batch."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.listing import Listed, looks_like_image
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.fields import Kind, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb
    import numpy as np
    import numpy.typing as npt

_FROM_TAGS = {"patient": "PatientID", "study": "StudyInstanceUID", "series": "SeriesInstanceUID"}
_IDS = pa.schema(
    {
        "relative": pa.string(),
        "image_id": pa.string(),
        "is_row": pa.bool_(),
        "is_dicom": pa.bool_(),  # an image of DICOM, which no other may be named as
        "is_plain": pa.bool_(),  # an image of another format, likewise
    }
)


@dataclass
class Collected:
    """What the files say, on disk; and what is known of all of it.

    Attributes:
        files: The rows of all files, sorted by path, as the next run reads them.
        ids: Beside them, what names each: `relative`, the path from its source on, and more.
        rows: How many of them are rows of the index: not what nobody would take for an image.
        usable: How many of these count as images.
        has_dicom: Whether one of them is of DICOM.
        has_plain: Whether one of them is of another format.
        faults: How many of them have each fault.
        first: The path of the first.
        named: The files that the user named: their numbers, paths and faults.
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

    @property
    def tags(self) -> Mapping[str, Kind]:
        """The DICOM keywords that the rows carry, with their kinds: none where no file is DICOM."""
        return vocabulary().dicom if self.has_dicom else {}

    def note(self, number: int, listed: Sequence[Listed], rows: pa.Table, ids: pa.Table) -> None:
        """Take a batch of files, of which the first has this number."""
        faults = rows["fault"].to_pylist()
        self.named += [(number + at, file.path, faults[at]) for at, file in enumerate(listed) if file.named]
        kept = rows.filter(ids["is_row"])
        if kept.num_rows and not self.rows:
            self.first = kept["path"][0].as_py()
        is_dicom = pc.equal(kept["format"], "dicom")
        self.has_dicom |= bool(pc.any(is_dicom).as_py())
        self.has_plain |= bool(pc.any(pc.invert(is_dicom)).as_py())
        self.rows += kept.num_rows
        self.usable += pc.sum(usable_array(kept["fault"])).as_py() or 0
        for pair in kept["fault"].drop_null().value_counts().to_pylist():
            self.faults[pair["values"]] += pair["counts"]


def collect(
    batches: Iterable[tuple[Sequence[Listed], pa.Table]], *, files: Path, ids: Path, mark: Mapping[str, str]
) -> Collected:
    """Write the rows of all files, and what names them.

    Args:
        batches: The listed files with their rows, sorted by path.
        files: The Parquet file to write the rows to.
        ids: The Parquet file to write to what names them.
        mark: What the rows are marked with.
    """
    collected = Collected(files, ids)
    number = 0
    with (
        pq.ParquetWriter(files, schema().with_metadata(mark), compression="zstd") as files_writer,
        pq.ParquetWriter(ids, _IDS, compression="lz4", use_dictionary=False) as ids_writer,
    ):
        for listed, rows in batches:
            named = _ids(listed, rows)
            files_writer.write_table(rows)
            ids_writer.write_table(named)
            collected.note(number, listed, rows, named)
            number += len(listed)
        if not number:
            files_writer.write_table(schema().empty_table())
            ids_writer.write_table(_IDS.empty_table())
    return collected


def find_duplicates(connection: duckdb.DuckDBPyConnection, collected: Collected) -> npt.NDArray[np.int64]:
    """Return the numbers of the DICOM files whose SOPInstanceUID an earlier file carries, in order.

    Args:
        connection: What `digest.engine` opened.
        collected: The files.

    Raises:
        IndexReadError: Two plain images of different sources have the same path within their source.
    """
    _refuse_same_relative_path(connection, collected)
    later: Any = connection.sql(_LATER.format(which="is_dicom"), params={"ids": str(collected.ids)})
    numbers: npt.NDArray[np.int64] = later.to_arrow_table()["file_row_number"].to_numpy()
    return numbers


# By a hash of eight bytes first: what stands once, which is nearly all, is never held as text.
_LATER = """
with named as (
    select file_row_number, image_id from read_parquet($ids, file_row_number = true) where {which}
), twice as (
    select hash(image_id) as hashed from named group by hashed having count(*) > 1
), numbered as (
    select file_row_number, image_id, row_number() over (partition by image_id order by file_row_number) as place
    from named where hash(image_id) in (from twice)
)
select file_row_number, image_id from numbered where place > 1 order by file_row_number
"""


def _refuse_same_relative_path(connection: duckdb.DuckDBPyConnection, collected: Collected) -> None:
    later = connection.execute(_LATER.format(which="is_plain") + " limit 1", {"ids": str(collected.ids)}).fetchall()
    if not later:
        return
    same = "select file_row_number from read_parquet($ids, file_row_number = true) where is_plain and image_id = $id"
    wanted = {"ids": str(collected.ids), "id": later[0][1]}
    numbers = connection.execute(f"{same} order by 1 limit 2", wanted).fetchall()
    path = "select path from read_parquet($files, file_row_number = true) where file_row_number = $number"
    files = str(collected.files)
    one, other = (
        connection.execute(path, {"files": files, "number": number}).fetchall()[0][0] for (number,) in numbers
    )
    raise IndexReadError(
        f"{one} and {other} have the same path within their source, which names a plain image. "
        "Give the folder that holds both sources instead."
    )


def assembled(collected: Collected, duplicates: npt.NDArray[np.int64]) -> Iterator[pa.Table]:
    """Yield the rows of the index, sorted by path, some thousands at a time.

    Besides the columns of the index there is `relative`, the path from its source on, to match tables by.

    Args:
        collected: The files.
        duplicates: The numbers of those that another has the name of.
    """
    import numpy as np

    dropped = {"SOPInstanceUID", *vocabulary().dicom} - set(collected.tags)
    names = {tag: name for name, tag in _FROM_TAGS.items()}
    begin = 0
    with pq.ParquetFile(collected.files) as files, pq.ParquetFile(collected.ids) as ids:
        for group in range(files.num_row_groups):
            rows, named = files.read_row_group(group, use_threads=False), ids.read_row_group(group, use_threads=False)
            is_twice = np.zeros(rows.num_rows, bool)
            low, high = np.searchsorted(duplicates, (begin, begin + rows.num_rows))
            is_twice[duplicates[low:high] - begin] = True
            begin += rows.num_rows
            rows = marked(rows, pa.array(is_twice), Fault.DUPLICATE_SOP_INSTANCE_UID)
            rows = rows.select([name for name in rows.column_names if name not in dropped])
            rows = rows.rename_columns([names.get(name, name) for name in rows.column_names])
            rows = rows.append_column("image_id", named["image_id"]).append_column("relative", named["relative"])
            yield rows.replace_schema_metadata(None).filter(named["is_row"])


def marked(rows: pa.Table, which: pa.Array | pa.ChunkedArray, fault: Fault) -> pa.Table:
    """Return rows of which some have a fault now."""
    faults = pc.if_else(which, fault.code, rows["fault"])
    return rows.set_column(rows.column_names.index("fault"), "fault", faults)


def marked_missing_patients(rows: pa.Table) -> pa.Table:
    """Return rows of which the DICOM images that belong to no patient say so."""
    is_dicom = pc.fill_null(pc.equal(rows["format"], "dicom"), False)  # noqa: FBT003 - what a null becomes
    lacking = pc.and_(pc.and_(is_dicom, pc.is_null(rows["patient"])), usable_array(rows["fault"]))
    return marked(rows, lacking, Fault.MISSING_PATIENT_ID)


def _ids(listed: Sequence[Listed], rows: pa.Table) -> pa.Table:
    formats, faults, uids = (rows[name].to_pylist() for name in ("format", "fault", "SOPInstanceUID"))
    well = usable_array(rows["fault"]).to_pylist()
    return pa.table(
        {
            "relative": [file.relative for file in listed],
            "image_id": [
                hashlib.sha256(file.relative.encode()).hexdigest()[:32] if uid is None else uid
                for file, uid in zip(listed, uids, strict=True)
            ],
            "is_row": [
                format_ is not None or file.named or looks_like_image(file.path)
                for file, format_ in zip(listed, formats, strict=True)
            ],
            "is_dicom": [format_ == "dicom" and good for format_, good in zip(formats, well, strict=True)],
            "is_plain": [
                format_ not in (None, "dicom") and fault is None for format_, fault in zip(formats, faults, strict=True)
            ],
        },
        schema=_IDS,
    )
