"""Adding faults to the rows of an index, and taking them away: the columns `fault` and `faults` always agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.faults import Fault, joined, split

if TYPE_CHECKING:
    from collections.abc import Callable


def with_fault(rows: pa.Table, which: pa.Array | pa.ChunkedArray, fault: Fault) -> pa.Table:
    """Return the rows with one more fault on some of them.

    Args:
        rows: The rows.
        which: Which of them get the fault, as Booleans.
        fault: The fault.
    """
    return _changed(rows, which, lambda codes: [*codes, fault.code])


def without_fault(rows: pa.Table, which: pa.Array | pa.ChunkedArray, fault: Fault) -> pa.Table:
    """Return the rows with one fault less on some of them; the arguments are those of `with_fault`."""
    return _changed(rows, which, lambda codes: [code for code in codes if code != fault.code])


def has_fault(rows: pa.Table, fault: Fault) -> pa.ChunkedArray:
    """Return which rows have a fault, as Booleans without nulls."""
    return pc.fill_null(pc.match_substring_regex(rows["faults"], rf"(^|\\){fault.code}(\\|$)"), False)  # noqa: FBT003


def _changed(rows: pa.Table, which: pa.Array | pa.ChunkedArray, change: Callable[[list[str]], list[str]]) -> pa.Table:
    """Change the codes of some rows; few rows differ in their codes, so each combination is computed once."""
    if not pc.any(which).as_py():
        return rows
    before = rows["faults"]
    different = pc.unique(before)
    after = [joined(change(split(faults))) for faults in different.to_pylist()]
    place = pc.index_in(before, different)
    for name, values in (("faults", after), ("fault", [next(iter(split(faults)), None) for faults in after])):
        changed = pa.array(values, pa.string()).take(place.combine_chunks())
        column = pc.if_else(which, changed, rows[name])
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows
