"""A DICOMweb server (DICOM PS3.18): searches that recognise truncated answers, metadata, images, and storing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from monai_unlearn.pacs.items import PATIENT_ID, STUDY, Item, is_items, tag_of, text
from monai_unlearn.pacs.multipart import first_part, is_part
from monai_unlearn.pacs.paging import CappedError, Page, everything
from monai_unlearn.pacs.stow import stored
from monai_unlearn.pacs.study_metadata import StudyMetadata, listed
from monai_unlearn.pacs.web import TooLongError, Web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Self

    from monai_unlearn.pacs.access import Access
    from monai_unlearn.pacs.paging import Key

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
        nameless: bool = False,
    ) -> Iterator[Item]:
        """Yield all that a search finds (QIDO-RS, PS3.18 section 10.6), page by page, each item once.

        Args:
            path: `studies`, `studies/{uid}/series`, and so on.
            key: The tags that tell items apart, as eight hexadecimal digits.
            filters: What the items must match, by keyword.
            fields: The keywords that are asked for beyond those that a server returns anyway.
            name: The request as messages name it: without identifiers; the path if null.
            page: How many items are asked for at once.
            nameless: Whether items without the first tag of the key are yielded too; otherwise they are an error.

        Raises:
            ArchiveError: The server fails, refuses, or returns part of what it has and no more.
        """
        named = name or f"GET {path}"
        # Several servers silently leave out keywords joined by commas.
        query = [*(filters or {}).items(), *(("includefield", tag_of(field)) for field in fields)]

        def ask(offset: int) -> Page:
            paged = [*query, ("limit", str(page)), ("offset", str(offset))]
            try:
                items, answer = self.web.json(path, name=named, query=paged, check=_not_items)
            except TooLongError as error:  # the days of a search of studies are then halved
                raise CappedError(str(error), found=0, says_more=True) from None
            warning = next((value for field, value in answer.headers.items() if field.lower() == "warning"), "")
            return Page(items, says_more=_says_more(warning))

        yield from everything(ask, key=key, server=self.access.server, request=named, nameless=nameless)

    def study(self, study: str, *, fields: Sequence[str]) -> list[Item]:
        """Return what a server tells of one study: an item for each patient that has a part of it, or none.

        Args:
            study: Its StudyInstanceUID.
            fields: The keywords that are asked for beyond those that a server returns anyway.

        Raises:
            ArchiveError: The server fails or refuses.
        """
        search = self.search("studies", key=(STUDY, PATIENT_ID), filters={"StudyInstanceUID": study}, fields=fields)
        return [item for item in listed(search) if text(item, STUDY) == study]

    def metadata(self, study: str, *, expected: int | None = None) -> list[Item] | None:
        """Return the metadata of every instance of a study; see `StudyMetadata.of`.

        Raises:
            ArchiveError: The server fails or refuses, or lists an instance and does not return it.
        """
        return StudyMetadata(self).of(study, expected=expected)

    def series_metadata(self, study: str, series: str, *, expected: int | None = None) -> list[Item]:
        """Return the metadata of every instance of a series; see `StudyMetadata.of_series`.

        Raises:
            ArchiveError: The server fails or refuses, or returns fewer.
        """
        return StudyMetadata(self).of_series(study, series, expected=expected)

    def instance(self, study: str, series: str, instance: str) -> bytes:
        """Return the file of an instance (WADO-RS), as the server stores it.

        Raises:
            ArchiveError: The server fails, refuses, or returns something else each time.
        """
        answer = self.web.content(
            f"studies/{study}/series/{series}/instances/{instance}",
            name="GET studies/{study}/series/{series}/instances/{instance}",
            accept='multipart/related; type="application/dicom"; transfer-syntax=*',
            check=is_part,
        )
        return first_part(answer)

    def store(self, files: Sequence[bytes], *, study: str | None = None) -> dict[str, Any]:
        """Store files, and return the server's answer; see `stored`.

        Raises:
            ArchiveError: The server fails or refuses, or does not say which files it has stored.
        """
        return stored(self.web, files, study=study)


def _says_more(warning: str) -> bool:
    """Return whether a warning is that there are more results: 299 also says which parameters have no effect."""
    return "299" in warning and _MORE.search(warning) is not None


def _not_items(document: object) -> str | None:
    return None if is_items(document) else "was answered with JSON that is not a list"
