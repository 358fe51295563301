"""The metadata of a study by WADO-RS (DICOM PS3.18 section 10.4): all of it, or an error.

Where an answer as a whole is too long, is not whole or is refused, its series are asked for, and then its instances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import INSTANCE, OF_SERIES, OF_STUDY, SERIES, STUDY, Item, count, is_items, text
from monai_unlearn.pacs.paging import CappedError
from monai_unlearn.pacs.web import RefusedError, TooLongError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monai_unlearn.pacs.access import Access
    from monai_unlearn.pacs.paging import Key
    from monai_unlearn.pacs.web import Web

# Answers of more instances than this come late, and take memory: they are asked for series by series.
MOST_AT_ONCE = 300
GONE = frozenset((404, 410))


class Server(Protocol):
    """What is needed of a DICOMweb server."""

    @property
    def access(self) -> Access:
        """How it is reached."""

    @property
    def web(self) -> Web:
        """What sends the requests."""

    def search(self, path: str, *, key: Key, fields: Sequence[str] = (), name: str | None = None) -> Iterator[Item]:
        """Yield all that a search finds."""

    def study(self, study: str, *, fields: Sequence[str]) -> list[Item]:
        """Return what the server tells of one study."""


class StudyMetadata:
    """Asks a server for the metadata of studies.

    Args:
        server: The server.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def of(self, study: str, *, expected: int | None = None) -> list[Item] | None:
        """Return the metadata of every instance of a study (WADO-RS, PS3.18 section 10.4), without bulk data.

        Args:
            study: Its StudyInstanceUID.
            expected: How many instances it has; null if the server does not say so.

        Returns:
            One item for each instance that the server has; null if it no longer has the study.

        Raises:
            ArchiveError: The server fails or refuses, or lists an instance and does not return it.
        """
        wanted = len(self._instances(f"studies/{study}")) if expected is None else expected
        if wanted <= MOST_AT_ONCE:
            found = self._if_there(f"studies/{study}/metadata", name="GET studies/{study}/metadata", study=study)
            if found and len(found) == wanted:
                return found
        # Orthanc answers 404 for a study that two patients share, and so does every server for one that was deleted.
        found = self._by_series(study, is_counted=expected is not None)
        return found if found and len(found) >= wanted else self._fewer(study, found)

    def of_series(self, study: str, series: str, *, expected: int | None = None) -> list[Item]:
        """Return the metadata of every instance of a series (WADO-RS), without bulk data.

        Args:
            study: Its StudyInstanceUID.
            series: Its SeriesInstanceUID.
            expected: How many instances it has; null if the server does not say so.

        Raises:
            ArchiveError: The server fails or refuses, or returns fewer.
        """
        found = self._of_series(study, series, expected, is_counted=expected is not None)
        if len(found) < (expected or 0):
            raise self._short("GET studies/{study}/series/{series}/metadata", len(found), expected or 0)
        return found

    def _items(self, path: str, *, name: str, study: str, series: str = "", instance: str = "") -> list[Item]:
        """Return the items of an answer, each once, all of the study, series or instance that was asked for."""
        asked = {tag: uid for tag, uid in ((STUDY, study), (SERIES, series), (INSTANCE, instance)) if uid}

        def wrong(document: object) -> str | None:
            if not is_items(document):
                return "was answered with JSON that is not a list of instances"
            items: list[Item] = document  # type: ignore[assignment]
            if any(text(item, INSTANCE) is None for item in items) or any(
                text(item, tag) != uid for tag, uid in asked.items() for item in items
            ):
                return "was answered with instances of another study or series, or without their identifiers"
            return "was answered without the instance" if instance and not items else None

        items, _ = self._server.web.json(path, name=name, check=wrong)
        return list({text(item, INSTANCE): item for item in items}.values())

    def _if_there(self, path: str, *, name: str, study: str, series: str = "") -> list[Item]:
        try:
            return self._items(path, name=name, study=study, series=series)
        except RefusedError as error:
            if error.status in GONE:
                return []
            raise
        except TooLongError:  # shorter answers are asked for, series by series and instance by instance
            return []

    def _fewer(self, study: str, found: list[Item]) -> list[Item] | None:
        """Return metadata of fewer instances than were listed if the others are gone by now; null if all are."""
        own = self._server.study(study, fields=["NumberOfStudyRelatedInstances"])
        if not own:
            return None
        counts = [count(item, OF_STUDY) for item in own]
        known = [number for number in counts if number is not None]
        now = sum(known) if len(known) == len(counts) else len(self._instances(f"studies/{study}"))
        if found and len(found) >= now:
            return found
        raise self._short("GET studies/{study}/metadata", len(found), now)

    def _short(self, name: str, found: int, listed: int) -> ArchiveError:
        return ArchiveError(
            f"{self._server.access.server}: {name} was answered with {found} instances of the {listed} that the server "
            "lists, and its answers for single series and instances have no more. Try again, or ask who runs it."
        )

    def _by_series(self, study: str, *, is_counted: bool) -> list[Item]:
        """Return the metadata of a study whose answer as a whole is too long, or was not whole."""
        path, fields = f"studies/{study}/series", ["NumberOfSeriesRelatedInstances"]
        search = self._server.search(path, key=(SERIES,), fields=fields, name="GET studies/{study}/series")
        found: list[Item] = []
        for series in listed(search, is_counted=is_counted):
            uid, expected = str(text(series, SERIES)), count(series, OF_SERIES)
            found += self._of_series(study, uid, expected, is_counted=is_counted or expected is not None)
        return found

    def _of_series(self, study: str, series: str, expected: int | None, *, is_counted: bool) -> list[Item]:
        path = f"studies/{study}/series/{series}"
        if expected is not None and expected <= MOST_AT_ONCE:
            name = "GET studies/{study}/series/{series}/metadata"
            items = self._if_there(f"{path}/metadata", name=name, study=study, series=series)
            if len(items) == expected:
                return items
        name = "GET studies/{study}/series/{series}/instances/{instance}/metadata"
        found: list[Item] = []
        for uid in self._instances(path, is_counted=is_counted):
            one = f"{path}/instances/{uid}/metadata"
            found += self._items(one, name=name, study=study, series=series, instance=uid)
        return found

    def _instances(self, path: str, *, is_counted: bool = False) -> list[str]:
        """Return the SOPInstanceUIDs of a study or series."""
        name = "GET studies/{study}/…/instances"
        search = self._server.search(f"{path}/instances", key=(INSTANCE,), name=name)
        found = (text(item, INSTANCE) for item in listed(search, is_counted=is_counted))
        return [uid for uid in found if uid is not None]


def listed(found: Iterable[Item], *, is_counted: bool = True) -> list[Item]:
    """Return what a search finds; the first page where a server has no other, if its results are counted.

    Raises:
        ArchiveError: The server fails, refuses, or has more than it returns.
    """
    kept: list[Item] = []
    try:
        kept.extend(found)  # keeps what came before an error
    except CappedError as error:
        if error.says_more or not is_counted:
            raise
    except RefusedError as error:
        if error.status not in GONE:
            raise
    return kept
