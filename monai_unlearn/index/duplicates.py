"""Which files of a build have the identifier of an earlier file, found by DuckDB without holding all identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import IndexReadError

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt

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


def find_duplicates(connection: duckdb.DuckDBPyConnection, collected: Collected) -> npt.NDArray[np.int64]:
    """Return the numbers of the DICOM files that have the SOPInstanceUID of an earlier file, in ascending order.

    Args:
        connection: A connection from `digest.engine`.
        collected: The files.

    Raises:
        IndexReadError: Two plain images of different sources have the same path within their source.
    """
    _refuse_same_relative_path(connection, collected)
    later: Any = connection.sql(_LATER.format(which="is_dicom"), params={"ids": str(collected.ids)})
    numbers: npt.NDArray[np.int64] = later.to_arrow_table()["file_row_number"].to_numpy()
    return numbers


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
