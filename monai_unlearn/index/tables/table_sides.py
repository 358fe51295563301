"""Sides of the body that a table names in its column `laterality`: the words become R, L or B, as those of tags do."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.row_faults import with_fault
from monai_unlearn.index.usable import usable_array
from monai_unlearn.vocabulary.laterality import LATERALITY, Laterality, laterality_of

_FAULTS = {
    Laterality.CONTRADICTING: Fault.CONTRADICTING_LATERALITY,
    Laterality.INVALID: Fault.INVALID_LATERALITY,
}


def with_sides(rows: pa.Table) -> pa.Table:
    """Return rows whose column `laterality` holds R, L or B, and notes where it says something else.

    A column of numbers is left as it is.

    Args:
        rows: Rows of the index.
    """
    if LATERALITY not in rows.column_names or not pa.types.is_string(rows[LATERALITY].type):
        return rows
    given = rows[LATERALITY]
    words = pc.unique(given)
    found = [laterality_of([word]) for word in words.to_pylist()]
    place = pc.index_in(given, words).combine_chunks()
    sides = pa.array([side if isinstance(side, str) else None for side in found], pa.string())
    at = rows.column_names.index(LATERALITY)
    rows = rows.set_column(at, LATERALITY, pa.chunked_array([sides.take(place)]))
    for why, fault in _FAULTS.items():
        which = pa.array([side is why for side in found], pa.bool_()).take(place)
        rows = with_fault(rows, pc.and_(pc.fill_null(which, fill_value=False), usable_array(rows["fault"])), fault)
    return rows
