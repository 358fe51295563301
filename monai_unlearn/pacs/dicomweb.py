"""A DICOMweb server (DICOM PS3.18): searches that recognise truncated answers, metadata, images, and storing."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import INSTANCE, OF_SERIES, SERIES, STUDY, Item, count, is_items, tag_of, text
from monai_unlearn.pacs.paging import Page, everything
from monai_unlearn.pacs.web import RefusedError, Web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Self

    from monai_unlearn.pacs.access import Access
    from monai_unlearn.pacs.paging import Key

# Answers of more instances than this come late, and take memory: they are asked for series by series.
MOST_AT_ONCE = 300
_GONE = frozenset((404, 410))


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
            return Page(items, says_more="299" in warning)

        yield from everything(ask, key=key, server=self.access.server, request=named)

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
        if expected is None or expected <= MOST_AT_ONCE:
            found = self._if_there(f"studies/{study}/metadata", name="GET studies/{study}/metadata", study=study)
            wanted = len(self._instances(f"studies/{study}")) if expected is None else expected
            if found and len(found) == wanted:
                return found
        # Orthanc answers 404 for a study that two patients share, and so does every server for one that was deleted.
        return self._by_series(study) or None

    def series_metadata(self, study: str, series: str, *, expected: int | None = None) -> list[Item]:
        """Return the metadata of every instance of a series (WADO-RS), without bulk data.

        Args:
            study: Its StudyInstanceUID.
            series: Its SeriesInstanceUID.
            expected: How many instances it has; null if the server does not say so.

        Raises:
            ArchiveError: The server fails or refuses.
        """
        return self._of_series(study, series, expected)

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

        The status of each file is in its ReferencedSOPSequence and FailedSOPSequence.

        Args:
            files: Whole DICOM files.
            study: The study that they must belong to; null for any.

        Raises:
            ArchiveError: The server fails or refuses.
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
        return found

    def _items(self, path: str, *, name: str, study: str) -> list[Item]:
        """Return the items of an answer, each instance once, all of the study that was asked for."""

        def wrong(document: object) -> str | None:
            if not is_items(document):
                return "was answered with JSON that is not a list of instances"
            if any(text(item, STUDY) != study or text(item, INSTANCE) is None for item in document):  # type: ignore[attr-defined]
                return "was answered with instances of another study, or without their identifiers"
            return None

        items, _ = self.web.json(path, name=name, check=wrong)
        return list({text(item, INSTANCE): item for item in items}.values())

    def _if_there(self, path: str, *, name: str, study: str) -> list[Item]:
        try:
            return self._items(path, name=name, study=study)
        except RefusedError as error:
            if error.status in _GONE:
                return []
            raise

    def _by_series(self, study: str) -> list[Item]:
        """Return the metadata of a study whose answer as a whole is too long, or was not whole."""
        found: list[Item] = []
        path, fields = f"studies/{study}/series", ["NumberOfSeriesRelatedInstances"]
        for series in self.search(path, key=(SERIES,), fields=fields, name="GET studies/{study}/series"):
            found += self._of_series(study, str(text(series, SERIES)), count(series, OF_SERIES))
        return found

    def _of_series(self, study: str, series: str, expected: int | None) -> list[Item]:
        path = f"studies/{study}/series/{series}"
        if expected is not None and expected <= MOST_AT_ONCE:
            items = self._if_there(f"{path}/metadata", name="GET studies/{study}/series/{series}/metadata", study=study)
            if len(items) == expected:
                return items
        name = "GET studies/{study}/series/{series}/instances/{instance}/metadata"
        found: list[Item] = []
        for uid in self._instances(path):
            found += self._items(f"{path}/instances/{uid}/metadata", name=name, study=study)
        return found

    def _instances(self, path: str) -> list[str]:
        """Return the SOPInstanceUIDs of a study or series."""
        name = "GET studies/{study}/…/instances"
        found = (text(item, INSTANCE) for item in self.search(f"{path}/instances", key=(INSTANCE,), name=name))
        return [uid for uid in found if uid is not None]


def _not_items(document: object) -> str | None:
    return None if is_items(document) else "was answered with JSON that is not a list"
