"""Which studies of an archive are asked for, and whether an answer is one of them: servers may ignore a filter."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import MODALITIES, RETRIEVE_AET, STUDY_DATE, text, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monai_unlearn.pacs.items import Item

# What is asked of every study beyond what servers return anyway (PS3.18 table 10.6.3-3).
FIELDS = ("NumberOfStudyRelatedInstances", "ModalitiesInStudy", "StudyDescription", "IssuerOfPatientID", "PatientSex")


@dataclass(frozen=True, kw_only=True)
class StudyQuery:
    """Which studies are asked for.

    Attributes:
        modalities: Those that have an image of one of these modalities; all if empty.
        first: Those of this day and later.
        last: Those of this day and earlier.
        aet: Those that this application entity has.
    """

    modalities: tuple[str, ...] = ()
    first: dt.date | None = None
    last: dt.date | None = None
    aet: str | None = None

    @classmethod
    def of(
        cls, *, modality: Sequence[str] = (), first: str | None = None, last: str | None = None, aet: str | None = None
    ) -> StudyQuery:
        """Take the options of a command line.

        Raises:
            ArchiveError: A day is not one, or the last is before the first.
        """
        days = {name: _day(name, given) for name, given in (("--from", first), ("--to", last))}
        if days["--from"] and days["--to"] and days["--from"] > days["--to"]:
            raise ArchiveError("--from and --to: expected a first day that is not after the last.")
        names = tuple(sorted({name.strip().upper() for text in modality for name in text.split(",") if name.strip()}))
        return cls(modalities=names, first=days["--from"], last=days["--to"], aet=aet)

    def apart(self) -> Iterator[StudyQuery]:
        """Yield the queries of each search that together find the studies: one of each modality."""
        yield from (replace(self, modalities=(name,)) for name in self.modalities) if self.modalities else (self,)

    def filter(self) -> dict[str, str]:
        """Return the filter of a search (PS3.18 section 8.3.4.1) of a query of at most one modality."""
        found: dict[str, str] = {}
        if self.first or self.last:
            first, last = (f"{day:%Y%m%d}" if day else "" for day in (self.first, self.last))
            found["StudyDate"] = f"{first}-{last}"
        if self.aet:
            found["RetrieveAETitle"] = self.aet
        if self.modalities:
            (found["ModalitiesInStudy"],) = self.modalities
        return found

    def matches(self, study: Item) -> bool:
        """Return whether a study that a server found is one of those; what the server leaves out counts as matching."""
        modalities = set(map(str, values(study, MODALITIES)))
        if self.modalities and modalities and modalities.isdisjoint(self.modalities):
            return False
        aets = set(map(str, values(study, RETRIEVE_AET)))
        if self.aet and aets and self.aet not in aets:
            return False
        return self.has(day_of(study))

    def has(self, day: dt.date | None) -> bool:
        """Return whether a day is one of those that are asked for; an unknown one may be."""
        if day is None:
            return True
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def within(self, first: dt.date | None, last: dt.date | None) -> StudyQuery:
        """Return this query for other days; null for any earlier or later ones."""
        return replace(self, first=first, last=last)

    def document(self) -> Mapping[str, object]:
        """Return this as a JSON-serialisable dict."""
        return {
            "modalities": list(self.modalities),
            "from": self.first.isoformat() if self.first else None,
            "to": self.last.isoformat() if self.last else None,
            "aet": self.aet,
        }


def _day(name: str, given: str | None) -> dt.date | None:
    if given is None:
        return None
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise ArchiveError(f"{name}: expected a day such as 2015-01-31, got another text.") from None


def day_of(study: Item) -> dt.date | None:
    """Return the date of a study; null if it has none, or not that of a day."""
    try:
        return dt.datetime.strptime(text(study, STUDY_DATE) or "", "%Y%m%d").replace(tzinfo=dt.timezone.utc).date()
    except ValueError:
        return None
