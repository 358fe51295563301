"""Notes on rows with dates and ages in doubt, found while an index is assembled: they need the day of the build."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from monai_unlearn.index.doubts import SEPARATOR
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.plausible import EARLIEST, LATEST, OLDEST, age_keywords, are_shifted, date_keywords
from monai_unlearn.index.row_faults import with_fault
from monai_unlearn.index.usable import usable_array

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class DateTally:
    """Counts over all rows that decide whether the dates of an index were shifted by de-identification.

    Attributes:
        built: The day on which the index is built.
        dated: The number of images with a date that is no placeholder.
        after: How many of them have such a date after that day.
    """

    built: dt.date
    dated: int = 0
    after: int = 0

    def add(self, rows: pa.Table) -> None:
        """Count a batch of rows."""
        images = rows.filter(usable_array(rows["fault"]))
        self.dated += _total(_any(images, lambda days: pc.and_(pc.greater_equal(days, EARLIEST), _is_early(days))))
        self.after += _total(_any(images, self._is_after))

    @property
    def are_shifted(self) -> bool:
        """Whether the dates were shifted."""
        return are_shifted(self.dated, self.after)

    def noted(self, rows: pa.Table) -> pa.Table:
        """Return the rows with the notes about their dates and ages, added to their faults.

        Args:
            rows: Rows of the index, once all of them were counted.
        """
        is_odd = _any(rows, lambda days: pc.or_(pc.less(days, EARLIEST), pc.greater(days, LATEST)))
        is_after = _any(rows, self._is_after)
        rows = with_fault(rows, pc.is_valid(rows["partial"]), Fault.PARTIAL_DATE)
        rows = with_fault(rows, _has_odd_age(rows), Fault.IMPLAUSIBLE_AGE)
        if self.are_shifted:
            return with_fault(with_fault(rows, is_odd, Fault.IMPLAUSIBLE_DATE), is_after, Fault.DATES_SHIFTED)
        return with_fault(rows, pc.or_(is_odd, is_after), Fault.IMPLAUSIBLE_DATE)

    def _is_after(self, days: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.and_(pc.greater(days, self.built), _is_early(days))


def _is_early(days: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which days are not among the placeholders of the far future."""
    return pc.less_equal(days, LATEST)


def _has_odd_age(rows: pa.Table) -> pa.ChunkedArray:
    found = pc.is_valid(rows["implausible"])
    for name in age_keywords(rows.column_names):
        found = pc.or_(found, pc.fill_null(pc.greater_equal(rows[name], OLDEST), fill_value=False))
    return found


def _any(rows: pa.Table, condition: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.ChunkedArray:
    """Return which rows have a date for which a condition holds; a shortened date counts with its first day."""
    found = pa.chunked_array([pa.repeat(pa.scalar(value=False), rows.num_rows)])
    columns = [rows[name].cast(pa.date32()) for name in date_keywords(rows.column_names)]
    for days in [*columns, *_shortened(rows["partial"])]:
        found = pc.or_(found, pc.fill_null(condition(days), fill_value=False))
    return found


def _shortened(partial: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    """Return the first days of the shortened dates: a column each, of as many as the row with the most has."""
    if partial.null_count == len(partial):
        return []
    firsts = [[_first(entry) for entry in text.split(SEPARATOR)] if text else [] for text in partial.to_pylist()]
    most = max(map(len, firsts))
    return [
        pa.chunked_array([pa.array([days[at] if at < len(days) else None for days in firsts], pa.date32())])
        for at in range(most)
    ]


def _first(entry: str) -> dt.date:
    return dt.date.fromisoformat(entry.partition("=")[2].partition("/")[0])


def _total(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)
