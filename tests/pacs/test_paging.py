"""All pages of a search, of servers that page in their own ways."""

from __future__ import annotations

import pytest

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import PATIENT_ID, STUDY, text
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
    pages = {0: items("1", "2"), 1: items("1", "2", "3"), 3: items("3"), 4: []}
    assert found(lambda offset: Page(pages[offset])) == ["1", "2", "3"]


def test_a_warning_with_the_last_page_is_a_cap():
    pages = {0: items("1", "2"), 1: items("2", "3"), 2: items("3")}
    with pytest.raises(CappedError, match="3 items and the warning that there are more") as error:
        found(lambda offset: Page(pages.get(offset, []), says_more=offset > 0))
    assert (error.value.found, error.value.says_more) == (3, True)


def test_items_that_move_up_because_others_are_deleted_are_not_skipped():
    whole = items("1", "2", "3", "4", "5", "6", "7")

    def ask(offset):
        page = whole[offset : offset + 3]
        if offset == 0 and len(whole) == 7:
            del whole[:2]
        return Page(page)

    assert sorted(found(ask)) == ["1", "2", "3", "4", "5", "6", "7"]
    assert len(whole) == 5


def test_pages_of_one_item():
    whole = items("1", "2", "3")
    assert found(lambda offset: Page(whole[offset : offset + 1])) == ["1", "2", "3"]


def test_a_server_of_no_order_that_ignores_the_offset_is_found_out():
    orders = [items("1", "2", "3"), items("3", "1", "2"), items("2", "3", "1")]
    asked = []
    with pytest.raises(CappedError, match="the same 3 items"):
        found(lambda offset: asked.append(offset) or Page(orders[len(asked) % 3]))


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


def test_items_without_an_identifier_are_yielded_each_once_where_they_may_be():
    items = [{STUDY: {"vr": "UI", "Value": [uid]}} for uid in ("1.1", "1.2")]
    items += [{PATIENT_ID: {"vr": "LO", "Value": [name]}} for name in ("A", "B")]

    def ask(offset):
        return Page(items[offset : offset + 2])

    found = list(everything(ask, key=(STUDY, PATIENT_ID), server="pacs", request="GET studies", nameless=True))
    assert found == items
    with pytest.raises(ArchiveError, match="leaves out the tag 0020000D"):
        list(everything(ask, key=(STUDY, PATIENT_ID), server="pacs", request="GET studies"))
