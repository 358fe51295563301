"""All studies of a query, even where a server caps its answers and cannot page: the days are halved until all fit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import PATIENT_ID, STUDY, text
from monai_unlearn.pacs.paging import CappedError
from monai_unlearn.pacs.study_query import day_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from monai_unlearn.pacs.items import Item
    from monai_unlearn.pacs.study_query import StudyQuery

    Search = Callable[[Mapping[str, str]], Iterator[Item]]

# No DICOM image is older; what is dated before has a wrong date, and is asked for at once.
_EARLIEST = dt.date(1900, 1, 1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class _Answer:
    """What a search found.

    Attributes:
        found: How many studies.
        undated: Whether one of them has no date.
        astray: Whether one of them is of another day than was asked for.
        capped: Why there may be more; null if these are all.
    """

    found: int
    undated: bool
    astray: bool
    capped: CappedError | None


@dataclass
class StudySearch:
    """Searches studies.

    Attributes:
        search: Yields the studies of one search by its filters, and raises `CappedError` where there may be more.
        today: The day of the search; studies of later days are asked for at once.
        doubts: Whether an answer may be capped without a sign of it, as by DIMSE: it is compared with its halves.
        windows: How many windows of days were searched; 0 if no answer was capped.
    """

    search: Search
    today: dt.date
    doubts: bool = False
    windows: int = 0
    _yielded: set[tuple[str, str]] = field(default_factory=set)
    # What this filter found, and of how many studies its first answer was.
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _first: int = 0
    # Answers of the longest length that cannot be asked for in parts; whether they matter is known at the end.
    _doubtful: list[tuple[_Answer, str]] = field(default_factory=list)
    # The longest answer of the server, and that to the present filter.
    _longest: int = 0
    _cap: int = 0
    _knows_all: bool = False

    def find(self, query: StudyQuery) -> Iterator[Item]:
        """Yield every study of a query, each once; two patients' halves of one study are two.

        Raises:
            CappedError: The server may have more studies than it returns, of a day or without one.
            ArchiveError: The server fails.
        """
        for one in query.apart():
            yield from self._all_of(one)

    def _all_of(self, query: StudyQuery) -> Iterator[Item]:
        """Yield the studies of one filter."""
        self._seen, self._doubtful, self._cap = set(), [], 0
        answer = yield from self._ask(query)
        self._first = answer.found
        if answer.capped is None:
            return
        yield from self._parts(answer, self._windows(query))
        if answer.undated and query.first is None and query.last is None:
            self._settle(answer, " Some of them have no date, and cannot be asked for by days.")
        # Parts that found nothing more than the whole leave no reason to doubt it.
        doubtful = [(answer, why) for answer, why in self._doubtful if answer.found >= self._cap]
        if doubtful and len(self._seen) > self._first:
            self._settle(*doubtful[0], is_final=True)

    def _windows(self, query: StudyQuery) -> list[StudyQuery]:
        """Return the days of a query in parts: two halves, and, where it has no first or last day, those beyond."""
        first = query.first or min(_EARLIEST, query.last or _EARLIEST)
        last = query.last or max(self.today, first)
        if first >= last and query.first and query.last:
            return []
        middle = first + (last - first) // 2
        parts = [query.within(first, middle)]
        parts += [query.within(middle + _DAY, last)] if middle < last else []
        parts += [] if query.first else [query.within(None, first - _DAY)]
        return parts + ([] if query.last else [query.within(last + _DAY, None)])

    def _parts(self, whole: _Answer, parts: list[StudyQuery]) -> Iterator[Item]:
        """Yield the studies of parts of the days of a query that was not answered wholly."""
        if not parts:
            self._settle(whole, " All of them are of one day.")
        for part in parts:
            self.windows += 1
            answer = yield from self._ask(part)
            if answer.capped is None or not (answer.found >= self._cap or answer.capped.says_more):
                continue  # fewer than the server can return are all that there are
            if answer.astray or part.first is None or part.last is None:
                self._settle(answer, " It does not tell them apart by their days.", is_astray=answer.astray)
            else:
                yield from self._parts(answer, self._windows(part))

    def _ask(self, query: StudyQuery) -> Generator[Item, None, _Answer]:
        """Yield the studies of one search that were not yet found, and return what it was answered with."""
        found, undated, astray = 0, False, False
        capped: CappedError | None = None
        try:
            for study in self.search(query.filter()):
                found, day = found + 1, day_of(study)
                undated, astray = undated or day is None, astray or not query.has(day)
                key = (text(study, STUDY) or "", text(study, PATIENT_ID) or "")
                self._seen.add(key)
                if key not in self._yielded and query.matches(study):
                    self._yielded.add(key)
                    yield study
        except CappedError as error:
            capped, found = error, max(found, error.found)
        if found == 0 and capped is not None and not capped.says_more:
            capped = None
        if capped is None and self.doubts and found > 1:
            capped = CappedError(f"A search was answered with {found} studies.", found=found, says_more=False)
        self._cap, self._longest = max(self._cap, found), max(self._longest, found)
        return _Answer(found, undated, astray, capped)

    def _settle(self, answer: _Answer, why: str, *, is_astray: bool = False, is_final: bool = False) -> None:
        """Raise if an answer may not be whole that cannot be asked for in parts."""
        capped = answer.capped
        if capped is None:
            return
        if not capped.says_more:
            if self.doubts and not is_final:
                self._doubtful.append((answer, why))
                return
            if not self.doubts and not is_astray and answer.found < self._most():
                return
        raise CappedError(f"{capped}{why}", found=answer.found, says_more=capped.says_more)

    def _most(self) -> int:
        """Return the length of the longest answer of the server, that to the question for everything included."""
        if not self._knows_all:
            self._knows_all, found = True, 0
            try:
                for _ in self.search({}):
                    found += 1
            except CappedError as error:
                found = max(found, error.found)
            except ArchiveError:  # a server need not answer this question
                pass
            self._longest = max(self._longest, found)
        return self._longest
