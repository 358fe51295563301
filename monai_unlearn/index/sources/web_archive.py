"""A DICOMweb server as the source of an index."""

from __future__ import annotations

import threading
from itertools import islice
from typing import TYPE_CHECKING, Any

from monai_unlearn.index.sources.archive import Asked, Item, asked_since
from monai_unlearn.index.sources.json_row import names_pixels
from monai_unlearn.pacs.dicomweb import DicomWeb
from monai_unlearn.pacs.items import OF_STUDY, PATIENT_ID, STUDY, count, text
from monai_unlearn.pacs.orthanc import Orthanc
from monai_unlearn.pacs.study_query import FIELDS, StudyQuery
from monai_unlearn.pacs.study_search import StudySearch

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from monai_unlearn.pacs.access import Access

# So many studies show whether a server names pixels, if none that was asked for does.
_SAMPLE = 5


class WebArchive:
    """A DICOMweb server.

    Args:
        access: How it is reached.
        today: The day of this pull.
    """

    def __init__(self, access: Access, *, today: dt.date) -> None:
        self._client, self._today = DicomWeb(access), today
        self._told: bool | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The address of its services."""
        return self._client.access.url

    @property
    def server(self) -> str:
        """Its host and port."""
        return self._client.access.server

    @property
    def tells_pixels(self) -> bool:
        """Whether the metadata of some image name its pixels: some servers leave out what they would not send."""
        with self._lock:
            if self._told is None:
                studies = islice(self._search({}), _SAMPLE)
                found = (self._client.metadata(str(text(one, STUDY)), expected=count(one, OF_STUDY)) for one in studies)
                self._told = any(names_pixels(item) for items in found for item in items or ())
            return self._told

    def close(self) -> None:
        """Close all connections."""
        self._client.web.close()

    def asked(self, cursor: Mapping[str, Any] | None) -> Asked:
        """Return which studies may have changed: by Orthanc's changes, or else those of recent days."""
        orthanc = Orthanc(self._client.web)
        if orthanc.is_there():
            changes = orthanc.changes(cursor)
            how = "all" if changes.studies is None else "changes"
            return Asked(how, changes.cursor, changes.studies, new=changes.new)
        return asked_since(cursor, self._today)

    def studies(self, query: StudyQuery) -> Iterator[Item]:
        """Yield the studies of a query."""
        yield from StudySearch(self._search, self._today).find(query)

    def study(self, uid: str) -> list[Item]:
        """Return one study."""
        return self._client.study(uid, fields=FIELDS)

    def metadata(self, study: str, *, expected: int | None) -> list[Item] | None:
        """Return the metadata of all instances of a study."""
        found = self._client.metadata(study, expected=expected)
        if not self._told and any(map(names_pixels, found or ())):
            self._told = True
        return found

    def traffic(self) -> dict[str, int]:
        """Return how many requests were sent, and how many bytes were received."""
        return {"requests": self._client.web.requests, "bytes": self._client.web.received}

    def _search(self, filters: Mapping[str, str]) -> Iterator[Item]:
        return self._client.search("studies", key=(STUDY, PATIENT_ID), filters=filters, fields=FIELDS, nameless=True)
