"""All studies of a server that caps its answers and always returns the first page: its days are halved."""

from __future__ import annotations

import datetime as dt

import pytest
from dicom_json import image

from monai_unlearn.pacs.items import STUDY, text
from monai_unlearn.pacs.paging import CappedError
from monai_unlearn.pacs.study_query import StudyQuery
from monai_unlearn.pacs.study_search import StudySearch

TODAY = dt.date(2020, 1, 1)


def capped(studies, cap, *, warns=False):
    """Return a search that returns the first studies of those with a fitting date, and ignores the offset."""

    def search(filters):
        low, _, high = filters.get("StudyDate", "-").partition("-")
        dated = [(image(uid, 1, StudyDate=day), day) for uid, day in studies]
        fitting = [one for one, day in dated if (not low or day >= low) and (not high or day <= high)]
        yield from fitting[:cap]
        raise CappedError("capped", found=len(fitting[:cap]), says_more=warns and len(fitting) > cap)

    return search


def found(search, **query):
    studies = StudySearch(search, TODAY)
    return sorted(text(one, STUDY) for one in studies.find(StudyQuery.of(**query))), studies.windows


@pytest.mark.parametrize("cap", [2, 3, 7])
def test_every_study_is_found_once(cap):
    studies = [(f"1.2.{number}", f"{2000 + number}0{1 + number % 9}11") for number in range(19)]
    uids, windows = found(capped(studies, cap))
    assert uids == sorted(uid for uid, _ in studies)
    assert windows > 1


def test_a_server_that_returns_all_at_once_is_asked_twice_more():
    studies = [("1.2.1", "20100101"), ("1.2.2", "20190101")]
    uids, windows = found(capped(studies, 100), first="2010-01-01", last="2019-12-31")
    assert uids == ["1.2.1", "1.2.2"]
    assert windows == 2


def test_more_studies_a_day_than_the_server_tells_are_an_error_not_a_loss():
    studies = [(f"1.2.{number}", "20100101") for number in range(5)] + [("1.2.9", "20110101")]
    with pytest.raises(CappedError, match="capped"):
        found(capped(studies, 2))
    with pytest.raises(CappedError, match="capped"):
        found(capped(studies[:5], 2, warns=True))


def test_a_search_that_is_whole_is_not_split():
    def search(filters):
        yield image("1.2.1", 1)

    assert found(search) == (["1.2.1"], 0)
