"""A DICOMweb server (DICOM PS3.18): searches that recognise truncated answers, metadata, images, and storing."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import (
    FAILED,
    INSTANCE,
    OF_SERIES,
    OF_STUDY,
    PATIENT_ID,
    SERIES,
    STORED,
    STUDY,
    Item,
    count,
    is_items,
    tag_of,
    text,
    values,
)
from monai_unlearn.pacs.paging import CappedError, Page, everything
from monai_unlearn.pacs.web import RefusedError, Web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Self

    from monai_unlearn.pacs.access import Access
    from monai_unlearn.pacs.paging import Key

# Answers of more instances than this come late, and take memory: they are asked for series by series.
MOST_AT_ONCE = 300
_GONE = frozenset((404, 410))
# "There are N additional results that can be requested" and "The number of results exceeded the maximum supported by
# the server" (PS3.18 section 8.3.4.4), as servers vary them.
_MORE = re.compile(r"additional|exceed|maximum|more results|remaining|truncated|incomplete", re.IGNORECASE)


class DicomWeb:
    """A DICOMweb server. It may be used by several threads at once.

    Attributes:
        access: How it is reached.
        web: What sends the requests.

    Args:
        access: How it is reached.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self.web = Web(access)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.web.close()

    def search(
        self,
        path: str,
        *,
        key: Key,
        filters: Mapping[str, str] | None = None,
        fields: Sequence[str] = (),
        name: str | None = None,
        page: int = 500,
    ) -> Iterator[Item]:
        """Yield all that a search finds (QIDO-RS, PS3.18 section 10.6), page by page, each item once.

        Args:
            path: `studies`, `studies/{uid}/series`, and so on.
            key: The tags that tell items apart, as eight hexadecimal digits.
            filters: What the items must match, by keyword.
            fields: The keywords that are asked for beyond those that a server returns anyway.
            name: The request as messages name it: without identifiers; the path if null.
            page: How many items are asked for at once.

        Raises:
            ArchiveError: The server fails, refuses, or returns part of what it has and no more.
        """
        named = name or f"GET {path}"
        # Several servers silently leave out keywords joined by commas.
        query = [*(filters or {}).items(), *(("includefield", tag_of(field)) for field in fields)]

        def ask(offset: int) -> Page:
            paged = [*query, ("limit", str(page)), ("offset", str(offset))]
            items, answer = self.web.json(path, name=named, query=paged, check=_not_items)
            warning = next((value for field, value in answer.headers.items() if field.lower() == "warning"), "")
            return Page(items, says_more=_says_more(warning))

        yield from everything(ask, key=key, server=self.access.server, request=named)

    def study(self, study: str, *, fields: Sequence[str]) -> list[Item]:
        """Return what a server tells of one study: an item for each patient that has a part of it, or none.

        Args:
            study: Its StudyInstanceUID.
            fields: The keywords that are asked for beyond those that a server returns anyway.

        Raises:
            ArchiveError: The server fails or refuses.
        """
        search = self.search("studies", key=(STUDY, PATIENT_ID), filters={"StudyInstanceUID": study}, fields=fields)
        return [item for item in self._listed(search) if text(item, STUDY) == study]

    def metadata(self, study: str, *, expected: int | None = None) -> list[Item] | None:
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

    def series_metadata(self, study: str, series: str, *, expected: int | None = None) -> list[Item]:
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

    def instance(self, study: str, series: str, instance: str) -> bytes:
        """Return the file of an instance (WADO-RS), as the server stores it.

        Raises:
            ArchiveError: The server fails, refuses, or returns something else each time.
        """
        from monai_unlearn.pacs.multipart import first_part, is_part

        answer = self.web.content(
            f"studies/{study}/series/{series}/instances/{instance}",
            name="GET studies/{study}/series/{series}/instances/{instance}",
            accept='multipart/related; type="application/dicom"; transfer-syntax=*',
            check=is_part,
        )
        return first_part(answer)

    def store(self, files: Sequence[bytes], *, study: str | None = None) -> dict[str, Any]:
        """Store files (STOW-RS, PS3.18 section 10.5), and return the server's answer: a DICOM JSON item.

        The status of each file is in its ReferencedSOPSequence, of those that are stored, and FailedSOPSequence.

        Args:
            files: Whole DICOM files.
            study: The study that they must belong to; null for any.

        Raises:
            ArchiveError: The server fails or refuses, or does not say which files it has stored.
        """
        import json

        boundary = secrets.token_hex(16)
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        content = b"".join(head + file + b"\r\n" for file in files) + f"--{boundary}--\r\n".encode()
        answer = self.web.post(
            "studies" if study is None else f"studies/{study}",
            content,
            name="POST studies",
            kind=f'multipart/related; type="application/dicom"; boundary={boundary}',
        )
        try:
            found = json.loads(answer.content) if answer.content else {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ArchiveError(f"{self.access.server}: POST studies: expected DICOM JSON as the answer, got none.")
        if not any(values(found, tag) for tag in (STORED, FAILED)):
            raise ArchiveError(
                f"{self.access.server}: POST studies was answered with {answer.status} and without the files that are "
                "stored (PS3.18 section 10.5.3). Whether they are is not known: look for them in the archive."
            )
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

        items, _ = self.web.json(path, name=name, check=wrong)
        return list({text(item, INSTANCE): item for item in items}.values())

    def _if_there(self, path: str, *, name: str, study: str, series: str = "") -> list[Item]:
        try:
            return self._items(path, name=name, study=study, series=series)
        except RefusedError as error:
            if error.status in _GONE:
                return []
            raise

    def _listed(self, found: Iterator[Item], *, is_counted: bool = True) -> list[Item]:
        """Return what a search finds; the first page where a server has no other, if its results are counted."""
        listed: list[Item] = []
        try:
            listed.extend(found)  # keeps what came before an error
        except CappedError as error:
            if error.says_more or not is_counted:
                raise
        except RefusedError as error:
            if error.status not in _GONE:
                raise
        return listed

    def _fewer(self, study: str, found: list[Item]) -> list[Item] | None:
        """Return metadata of fewer instances than were listed if the others are gone by now; null if all are."""
        own = self.study(study, fields=["NumberOfStudyRelatedInstances"])
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
            f"{self.access.server}: {name} was answered with {found} instances of the {listed} that the server lists, "
            "and its answers for single series and instances have no more. Try again, or ask who runs it."
        )

    def _by_series(self, study: str, *, is_counted: bool) -> list[Item]:
        """Return the metadata of a study whose answer as a whole is too long, or was not whole."""
        path, fields = f"studies/{study}/series", ["NumberOfSeriesRelatedInstances"]
        search = self.search(path, key=(SERIES,), fields=fields, name="GET studies/{study}/series")
        found: list[Item] = []
        for series in self._listed(search, is_counted=is_counted):
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
        search = self.search(f"{path}/instances", key=(INSTANCE,), name=name)
        found = (text(item, INSTANCE) for item in self._listed(search, is_counted=is_counted))
        return [uid for uid in found if uid is not None]


def _says_more(warning: str) -> bool:
    """Return whether a warning is that there are more results: 299 also says which parameters have no effect."""
    return "299" in warning and _MORE.search(warning) is not None


def _not_items(document: object) -> str | None:
    return None if is_items(document) else "was answered with JSON that is not a list"
