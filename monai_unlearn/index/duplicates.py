"""Which files of a build have the SOPInstanceUID of another, and whether they contradict it.

Copies that agree on the patient, the study and the device are one image: the first in the order of paths counts. Where
they disagree, nobody can tell which is right; the first of each variant stays, and each variant but one has a suffix in
its `image_id`. Which one has none depends on what the copies say, not on where they are. DuckDB finds them without
holding all identifiers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.assemble import Duplicates
from monai_unlearn.index.patient_key import PatientKey
from monai_unlearn.index.store.schema import CONFLICT, same_sql

if TYPE_CHECKING:
    import duckdb

    from monai_unlearn.index.assemble import Collected

# First by a hash of eight bytes: identifiers that occur once, as nearly all do, are never kept as text.
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


_SAME = same_sql("patient", "StudyInstanceUID", "ManufacturerModelName", "DeviceSerialNumber")
_COPIES = """
with named as (
    select file_row_number as number, image_id from read_parquet($ids, file_row_number = true) where is_dicom
), twice as (
    select hash(image_id) as hashed from named group by hashed having count(*) > 1
), candidates as (
    select number, image_id from named where hash(image_id) in (from twice)
), traits as (
    select number, image_id, {same} as traits
    from (
        select number, image_id, coalesce(aliases.patient, {node}) as patient,
            StudyInstanceUID, ManufacturerModelName, DeviceSerialNumber
        from candidates
        join read_parquet($files, file_row_number = true) files on files.file_row_number = number
        left join aliases on aliases.node = {node}
    )
), numbered as (
    select number, traits,
        count(*) over (partition by image_id) as copies,
        row_number() over (partition by image_id, traits order by number) as place,
        min(traits) over (partition by image_id) as first,
        min(traits) over (partition by image_id) <> max(traits) over (partition by image_id) as contradict
    from traits
)
select number, place > 1 as is_copy, contradict and traits <> first as is_variant, sha256(traits)[:8] as variant
from numbered where copies > 1 and (place > 1 or contradict) order by number
"""


def find_duplicates(
    connection: duckdb.DuckDBPyConnection, collected: Collected, key: PatientKey | None = None
) -> Duplicates:
    """Return the DICOM files that have the SOPInstanceUID of another file.

    Args:
        connection: A connection from `digest.engine`, with the table `aliases` of `identities.py`.
        collected: The files.
        key: What makes two identifiers one patient; the PatientID if null.

    Raises:
        IndexReadError: Two plain images of different sources have the same path within their source.
    """
    _refuse_same_relative_path(connection, collected)
    node = (key or PatientKey()).sql("files.PatientID", "files.issuer", "files.InstitutionName")
    found = connection.execute(
        _COPIES.format(same=_SAME, node=node), {"ids": str(collected.ids), "files": str(collected.files)}
    ).fetchall()
    copies = [number for number, is_copy, *_ in found if is_copy]
    conflicts = [
        (number, f"{CONFLICT}{traits}" if later else "") for number, is_copy, later, traits in found if not is_copy
    ]
    numbers, suffixes = zip(*conflicts, strict=True) if conflicts else ((), ())
    return Duplicates(np.array(copies, np.int64), np.array(numbers, np.int64), tuple(suffixes))


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
        f"{one} and {other} have the same path within their source, and that path identifies a plain image. "
        "Give the folder that contains both sources instead."
    )
