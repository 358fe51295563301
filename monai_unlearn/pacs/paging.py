"""All pages of a search, where servers return less than was asked for, say nothing of it, or ignore what page is asked.

| what a server does | how it is recognised | what is done |
| --- | --- | --- |
| caps every answer, and pages | fewer items than asked for, or warning 299 | pages are asked for until one is empty |
| caps every answer, and ignores the offset | a page repeats items | `CappedError`, with what was found |
| ignores limit and offset, and returns all | a page repeats all | the same: only other questions can tell |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monai_unlearn.pacs.items import Item

# The tags that tell items apart; the first of them is one that every item has.
Key = tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """One answer of a search.

    Attributes:
        items: Its items.
        says_more: Whether the server warned that there are more (PS3.18 section 8.3.4.4).
    """

    items: list[Item]
    says_more: bool = False


class CappedError(ArchiveError):
    """A server returns some items of a search again and again, and no others: there may be more.

    Args:
        message: What happened.
        found: How many items there were.
        says_more: Whether the server itself says that there are more.
    """

    def __init__(self, message: str, *, found: int, says_more: bool) -> None:
        super().__init__(message)
        self.found, self.says_more = found, says_more


def everything(ask: Callable[[int], Page], *, key: Key, server: str, request: str) -> Iterator[Item]:
    """Yield the items of all pages, each once.

    Args:
        ask: Returns the page that begins after so many items.
        key: The tags that tell items apart.
        server: The server, for messages.
        request: The request, for messages.

    Raises:
        CappedError: The server ignores which page is asked for; what it returned has been yielded.
        ArchiveError: An item has no identifier.
    """
    seen = set[tuple[str | None, ...]]()
    offset = 0
    while True:
        page = ask(offset)
        if not page.items:
            return
        fresh = 0
        for item in page.items:
            uid = tuple(text(item, tag) for tag in key)
            if uid[0] is None:
                raise ArchiveError(
                    f"{server}: {request}: an answer leaves out the tag {key[0]}, which tells its items apart. The "
                    "server does not follow DICOM PS3.18 table 10.6.3; ask who runs it."
                )
            if uid not in seen:
                seen.add(uid)
                fresh += 1
                yield item
        if not fresh:
            raise CappedError(
                f"{server}: {request} was answered with the same {len(seen)} items for every page: the server may "
                "have more than it tells. Ask for less with --from, --to or --modality.",
                found=len(seen),
                says_more=page.says_more,
            )
        offset += len(page.items)
