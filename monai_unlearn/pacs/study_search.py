"""All studies of a query, even where a server caps its answers and cannot page: the days are halved until all fit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.pacs.items import PATIENT_ID, STUDY, text
from monai_unlearn.pacs.paging import CappedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monai_unlearn.pacs.items import Item
    from monai_unlearn.pacs.study_query import StudyQuery

    Search = Callable[[Mapping[str, str]], Iterator[Item]]

# No DICOM image is older.
_EARLIEST = dt.date(1900, 1, 1)


@dataclass
class StudySearch:
    """Searches studies.

    Attributes:
        search: Yields the studies of one search by its filters, and raises `CappedError` where there may be more.
        today: The last day that a study may have.
        windows: How many windows of days were searched; 0 if no answer was capped.
    """

    search: Search
    today: dt.date
    windows: int = 0
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _cap: int = 0
    # A day that as many studies were found of as the server returns at most; there may be more.
    _full_day: CappedError | None = None

    def find(self, query: StudyQuery) -> Iterator[Item]:
        """Yield every study of a query, each once; two patients' halves of one study are two.

        Raises:
            ArchiveError: The server fails, or may have more studies of a single day than it returns.
        """
        try:
            yield from self._fresh(query)
        except CappedError as capped:
            self._cap = max(self._cap, capped.found)
            yield from self._halves(query, capped)
        if self._full_day is not None and (self._full_day.says_more or len(self._seen) > self._cap):
            raise self._full_day

    def _fresh(self, query: StudyQuery) -> Iterator[Item]:
        for filters in query.filters():
            for study in self.search(filters):
                key = (text(study, STUDY) or "", text(study, PATIENT_ID) or "")
                if key not in self._seen and query.matches(study):
                    self._seen.add(key)
                    yield study

    def _halves(self, query: StudyQuery, capped: CappedError) -> Iterator[Item]:
        """Yield the studies of both halves of a query's days that were not yet found."""
        first, last = query.first or _EARLIEST, query.last or self.today
        if first >= last:
            self._full_day = capped
            return
        middle = first + (last - first) // 2
        for half in (query.within(first, middle), query.within(middle + dt.timedelta(days=1), last)):
            self.windows += 1
            try:
                yield from self._fresh(half)
            except CappedError as again:
                self._cap = max(self._cap, again.found)
                # Fewer than the server can return are all that there are.
                if again.found >= self._cap or again.says_more:
                    yield from self._halves(half, again)
