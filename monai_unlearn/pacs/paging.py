"""All pages of a search, where servers return less than was asked for, say nothing of it, or ignore what page is asked.

| what a server does | how it is recognised | what is done |
| --- | --- | --- |
| caps every answer, and pages | fewer items than asked for, or warning 299 | pages are asked for until one is empty |
| caps every answer, and ignores the offset | a page repeats items | `CappedError`, with what was found |
| ignores limit and offset, and returns all | a page repeats all | the same: only other questions can tell |
| caps the whole search | warning 299 with the last page | `CappedError`, with what was found |
| items are deleted while it pages | a page does not begin with the last item of the page before | begin again |
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monai_unlearn.pacs.items import Item

# The tags that tell items apart; the first of them is one that every item has.
Key = tuple[str, ...]
_Uid = tuple[str | None, ...]
# How often a search begins again because items were deleted meanwhile.
_RESTARTS = 3
# The last page may be the overlap alone; two such pages repeat what is known.
_STALE = 2


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


def everything(
    ask: Callable[[int], Page], *, key: Key, server: str, request: str, nameless: bool = False
) -> Iterator[Item]:
    """Yield the items of all pages, each once.

    Args:
        ask: Returns the page that begins after so many items.
        key: The tags that tell items apart.
        server: The server, for messages.
        request: The request, for messages.
        nameless: Whether items without the first tag are yielded too; they are told apart by all that they have.

    Raises:
        CappedError: The server ignores which page is asked for, or has more than it returns; what it returned has been
            yielded.
        ArchiveError: An item has no identifier, and `nameless` is not set.
    """
    seen, before = set[_Uid](), list[_Uid]()
    # `known` is how far the pages came before they began again; `stale` counts pages with nothing new beyond that.
    offset, restarts, known, stale, says_more = 0, 0, 0, 0, False
    while True:
        page = ask(offset)
        uids = [_uid(item, key, server, request, nameless=nameless) for item in page.items]
        # Pages overlap by one item: where it is missing, items before it were deleted, and others moved up unseen.
        is_moved = len(before) > 1 and before[-1] not in uids
        is_same = bool(uids) and uids == before
        fresh = dict(zip(uids, page.items, strict=True))
        yield from (item for uid, item in fresh.items() if uid not in seen)
        stale = stale + 1 if uids and offset > known and seen.issuperset(fresh) else 0
        seen.update(fresh)
        if is_same or stale >= _STALE:
            raise CappedError(
                f"{server}: {request} was answered with the same {len(seen)} items for every page: the server may "
                "have more than it tells. Ask for less with --from, --to or --modality.",
                found=len(seen),
                says_more=page.says_more,
            )
        if is_moved and restarts < _RESTARTS:
            offset, before, restarts, known = 0, [], restarts + 1, offset
        elif not uids:
            break
        else:
            # Nothing new but the overlap: only an empty page after it is the end.
            offset += len(uids) - (1 if len(uids) > 1 else 0)
            before, says_more = uids, page.says_more
    if says_more:
        raise CappedError(
            f"{server}: {request} was answered with {len(seen)} items and the warning that there are more. Ask for "
            "less with --from, --to or --modality.",
            found=len(seen),
            says_more=True,
        )


def _uid(item: Item, key: Key, server: str, request: str, *, nameless: bool) -> _Uid:
    uid = tuple(text(item, tag) for tag in key)
    if uid[0] is None and nameless:
        return (None, json.dumps(item, sort_keys=True))
    if uid[0] is None:
        raise ArchiveError(
            f"{server}: {request}: an answer leaves out the tag {key[0]}, which tells its items apart. The "
            "server does not follow DICOM PS3.18 table 10.6.3; ask who runs it."
        )
    return uid
