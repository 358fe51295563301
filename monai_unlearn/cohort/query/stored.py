"""Columns of an index as its parts hold them: Arrow tables, in the order of the parts, of all rows or of some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.cohort.query.arrays import of_mask
from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.check_files import remedy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monai_unlearn.cohort.query.answers import Mask
    from monai_unlearn.index import Index


def stored(index: Index, columns: Sequence[str], *, rows: Mask | None = None, encoded: Sequence[str] = ()) -> pa.Table:
    """Return columns of an index's rows.

    One part at a time is in memory whole: what is returned takes the memory of the chosen rows.

    Args:
        index: The index.
        columns: Their names, in the order to return them in.
        rows: Which rows to return, shape (rows,); all by default.
        encoded: Those of them, all of text, to return as codes with a dictionary, as the parts hold them: that takes
            less time than to write out each text and to look for equal ones.

    Raises:
        IndexReadError: A part was changed since the index was opened, or cannot be read.
    """
    index.checked.refuse_changes(index.directory)
    try:
        return pa.concat_tables(list(_parts(index, list(columns), rows, list(encoded))))
    except (pa.ArrowException, KeyError, OSError, ValueError) as error:
        raise IndexReadError(
            f"{index.directory}: a part of the index cannot be read ({type(error).__name__}). {remedy(index.directory)}"
        ) from None


def _parts(index: Index, columns: list[str], rows: Mask | None, encoded: list[str]) -> Iterator[pa.Table]:
    start = 0
    for part in index.parts:
        # Not `pq.read_table`, which loads the module of data sets and reads folder names as columns.
        with pq.ParquetFile(part, read_dictionary=encoded) as file:
            chosen = None if rows is None else rows[start : start + file.metadata.num_rows]
            start += file.metadata.num_rows
            wanted = columns if chosen is None or chosen.any() else []
            # Columns are shared among threads, so that one of them gains nothing.
            table = file.read(columns=wanted, use_threads=len(wanted) > 1).select(wanted)
        if chosen is None:
            yield table
        elif wanted:
            yield table.filter(of_mask(chosen))
        else:
            yield file.schema_arrow.empty_table().select(columns)
