"""A DICOMweb server as the source of an index."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from monai_unlearn.index.sources.archive import Asked, Item
from monai_unlearn.pacs.dicomweb import DicomWeb
from monai_unlearn.pacs.items import PATIENT_ID, STUDY
from monai_unlearn.pacs.orthanc import Orthanc
from monai_unlearn.pacs.study_query import FIELDS, StudyQuery
from monai_unlearn.pacs.study_search import StudySearch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.pacs.access import Access

# Images arrive days after their study's date: these days are asked for again.
OVERLAP = dt.timedelta(days=30)


class WebArchive:
    """A DICOMweb server.

    Args:
        access: How it is reached.
        today: The day of this pull.
    """

    tells_pixels = True

    def __init__(self, access: Access, *, today: dt.date) -> None:
        self._client, self._today = DicomWeb(access), today

    @property
    def name(self) -> str:
        """The address of its services."""
        return self._client.access.url

    @property
    def server(self) -> str:
        """Its host and port."""
        return self._client.access.server

    def close(self) -> None:
        """Close all connections."""
        self._client.web.close()

    def asked(self, cursor: Mapping[str, Any] | None) -> Asked:
        """Return which studies may have changed: by Orthanc's changes, or else those of recent days."""
        orthanc = Orthanc(self._client.web)
        if orthanc.is_there():
            changes = orthanc.changes(cursor)
            return Asked("all" if changes.studies is None else "changes", changes.cursor, changes.studies)
        day = {"day": self._today.isoformat()}
        with suppress(KeyError, TypeError, ValueError):
            if cursor is not None:
                return Asked("window", day, since=dt.date.fromisoformat(str(cursor["day"])) - OVERLAP)
        return Asked("all", day)

    def studies(self, query: StudyQuery) -> Iterator[Item]:
        """Yield the studies of a query."""
        yield from StudySearch(self._search, self._today).find(query)

    def study(self, uid: str) -> list[Item]:
        """Return one study."""
        return list(self._search({"StudyInstanceUID": uid}))

    def metadata(self, study: str, *, expected: int | None) -> list[Item] | None:
        """Return the metadata of all instances of a study."""
        return self._client.metadata(study, expected=expected)

    def traffic(self) -> dict[str, int]:
        """Return how many requests were sent, and how many bytes were received."""
        return {"requests": self._client.web.requests, "bytes": self._client.web.received}

    def _search(self, filters: Mapping[str, str]) -> Iterator[Item]:
        return self._client.search("studies", key=(STUDY, PATIENT_ID), filters=filters, fields=FIELDS)
