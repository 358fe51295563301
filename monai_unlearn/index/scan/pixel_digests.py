"""Adds the digests of pixels to the rows of files, where the user asks for them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.readers.pixel_digest import pixel_digests
from monai_unlearn.index.store.schema import PIXEL_DIGEST
from monai_unlearn.index.usable import usable_array


def with_pixel_digests(rows: pa.Table) -> pa.Table:
    """Return the rows of files with the digest of the pixels of each usable image.

    Args:
        rows: One row per file, as the readers return them.
    """
    usable = usable_array(rows["fault"])
    found = iter(pixel_digests(map(Path, rows["path"].filter(usable).to_pylist())))
    values = [next(found) if counts else None for counts in usable.to_pylist()]
    return _replaced(rows, pa.array(values, pa.string()))


def digests_of_usable(rows: pa.Table) -> pa.Table:
    """Return the rows of files without the digests of those that no longer count as images.

    Args:
        rows: One row per file; faults may have been added since their digests were.
    """
    digests = rows[PIXEL_DIGEST]
    if digests.null_count == rows.num_rows:
        return rows
    return _replaced(rows, pc.if_else(usable_array(rows["fault"]), digests, None))


def _replaced(rows: pa.Table, digests: pa.Array) -> pa.Table:
    position = rows.column_names.index(PIXEL_DIGEST)
    return rows.set_column(position, rows.schema.field(position), digests)
