"""An archive that speaks DIMSE as the source of an index: C-FIND of studies, of their series, and of their images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.datadict import tag_for_keyword

from monai_unlearn.errors import ArchiveError
from monai_unlearn.index.readers.functional_groups import GROUPS
from monai_unlearn.index.readers.row import tag_paths
from monai_unlearn.index.sources.archive import Asked, Item, asked_since
from monai_unlearn.index.tag_path import TagPath
from monai_unlearn.pacs.dimse import Dimse
from monai_unlearn.pacs.items import OF_SERIES, SERIES, count, text
from monai_unlearn.pacs.study_query import FIELDS, StudyQuery
from monai_unlearn.pacs.study_search import StudySearch

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from monai_unlearn.pacs.association import Peer

_META_GROUP = 2
_OF_STUDIES = (
    *("StudyInstanceUID", "PatientID", "StudyDate", "StudyTime", "AccessionNumber", "PatientBirthDate"),
    *("NumberOfStudyRelatedSeries", "OtherPatientIDs"),
    *FIELDS,
)
_NUMBER = "NumberOfSeriesRelatedInstances"


class DimseArchive:
    """An archive that speaks DIMSE.

    What it does not return is missing in the index: archives answer with the tags that they keep in their database.

    Args:
        peer: How it is reached.
        tags: Further tags, as `TagPath` spells them.
        today: The day of this pull.
    """

    tells_pixels = False

    def __init__(self, peer: Peer, *, tags: Sequence[str], today: dt.date) -> None:
        self._client, self._today = Dimse(peer), today
        paths = (*tag_paths().values(), *map(TagPath.parse, tags))
        plain = {path.steps[0].tag for path in paths if path.steps[0].creator is None}
        self._fields = sorted(tag for tag in plain if tag >> 16 != _META_GROUP and tag not in GROUPS)

    @property
    def name(self) -> str:
        """Its address."""
        return f"dimse://{self._client.peer.server}"

    @property
    def server(self) -> str:
        """Its AE title, host and port."""
        return self._client.peer.server

    def close(self) -> None:
        """End all associations."""
        self._client.close()

    def asked(self, cursor: Mapping[str, Any] | None) -> Asked:
        """Return which studies may have changed: those of recent days."""
        return asked_since(cursor, self._today)

    def studies(self, query: StudyQuery) -> Iterator[Item]:
        """Yield the studies of a query."""
        yield from StudySearch(self._search, self._today, doubts=True).find(query)

    def study(self, uid: str) -> list[Item]:
        """Return one study."""
        return list(self._search({"StudyInstanceUID": uid}))

    def metadata(self, study: str, *, expected: int | None) -> list[Item] | None:
        """Return what the archive tells of all instances of a study; null if it is gone.

        Raises:
            ArchiveError: The archive returns fewer instances than it says the study has.
        """
        own = self.study(study)
        if not own:
            return None
        found: list[Item] = []
        fields = [*self._fields, *_tags((_NUMBER,))]
        for series in self._client.find("SERIES", {"StudyInstanceUID": study, "SeriesInstanceUID": ""}, fields):
            keys = {"StudyInstanceUID": study, "SeriesInstanceUID": text(series, SERIES), "SOPInstanceUID": ""}
            images = list(self._client.find("IMAGE", keys, self._fields))
            self._check(len(images), count(series, OF_SERIES), of="series")
            found += _whole({**own[0], **_filled(series)}, images)
        self._check(len(found), expected, of="study")
        return found

    def _check(self, found: int, expected: int | None, *, of: str) -> None:
        if expected is not None and found < expected:
            raise ArchiveError(
                f"{self.server}: C-FIND IMAGE was answered with {found} instances of a {of} that has {expected}. The "
                "archive caps its answers: have its limit raised, or pull by DICOMweb."
            )

    def traffic(self) -> dict[str, int]:
        """Return how many requests were sent; their bytes are not counted."""
        return {"requests": self._client.requests, "bytes": 0}

    def _search(self, filters: Mapping[str, str]) -> Iterator[Item]:
        return self._client.find("STUDY", filters, _tags(_OF_STUDIES))


def _tags(keywords: Sequence[str]) -> list[int]:
    return sorted({int(tag_for_keyword(keyword)) for keyword in keywords})


def _whole(above: Item, images: list[Item]) -> list[Item]:
    """Return images with what only the levels above them tell: tags that no image of the series has a value of."""
    told = {tag for image in images for tag in _filled(image)}
    inherited = {tag: element for tag, element in _filled(above).items() if tag not in told}
    return [{**_filled(image), **inherited} for image in images]


def _filled(item: Item) -> Item:
    """Return the elements of an answer that have a value: what an archive does not keep comes back empty."""
    return {tag: element for tag, element in item.items() if element.get("Value") or "InlineBinary" in element}
