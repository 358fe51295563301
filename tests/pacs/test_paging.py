"""All pages of a search, of servers that page in their own ways."""

from __future__ import annotations

import pytest

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import STUDY, text
from monai_unlearn.pacs.paging import CappedError, Page, everything


def items(*uids):
    return [{STUDY: {"vr": "UI", "Value": [uid]}} for uid in uids]


def found(ask):
    return [text(one, STUDY) for one in everything(ask, key=(STUDY,), server="pacs", request="GET studies")]


def test_pages_are_asked_for_until_one_is_empty_whatever_their_size():
    whole = items("1", "2", "3", "4", "5")
    assert found(lambda offset: Page(whole[offset : offset + 2])) == ["1", "2", "3", "4", "5"]
    assert found(lambda _: Page([])) == []


def test_overlapping_pages_double_nothing():
    pages = {0: items("1", "2"), 2: items("2", "3"), 4: []}
    assert found(lambda offset: Page(pages[offset])) == ["1", "2", "3"]


def test_a_server_that_ignores_the_offset_is_found_out_after_what_it_has_was_passed_on():
    pages = everything(
        lambda _: Page(items("1", "2"), says_more=True), key=(STUDY,), server="pacs", request="GET studies"
    )
    seen = [text(next(pages), STUDY), text(next(pages), STUDY)]
    with pytest.raises(CappedError, match="the same 2 items for every page") as error:
        next(pages)
    assert seen == ["1", "2"]
    assert (error.value.found, error.value.says_more) == (2, True)


def test_items_without_what_tells_them_apart_are_refused():
    with pytest.raises(ArchiveError, match=r"pacs: GET studies: an answer leaves out the tag 0020000D"):
        found(lambda _: Page([{}]))
