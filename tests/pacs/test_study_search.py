"""All studies of a server that caps its answers and always returns the first page: its days are halved."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest
from dicom_json import image

from monai_unlearn.pacs.items import STUDY, text
from monai_unlearn.pacs.paging import CappedError
from monai_unlearn.pacs.study_query import StudyQuery
from monai_unlearn.pacs.study_search import StudySearch

TODAY = dt.date(2020, 1, 1)


def capped(studies, cap, *, warns=False, modalities=None, ignores_days=False):
    """Return a search that returns the first studies of those with a fitting date, and ignores the offset."""

    def search(filters):
        low, _, high = ("-" if ignores_days else filters.get("StudyDate", "-")).partition("-")
        wanted = filters.get("ModalitiesInStudy")
        dated = [
            (image(uid, 1, StudyDate=day), day)
            for uid, day in studies
            if modalities is None or wanted in (None, modalities[uid])
        ]
        fitting = [one for one, day in dated if (day or "" if low or high else "1") and _within(day, low, high)]
        yield from fitting[:cap]
        raise CappedError("capped", found=len(fitting[:cap]), says_more=warns and len(fitting) > cap)

    return search


def _within(day, low, high):
    return (not low or day >= low) and (not high or day <= high)


def found(search, *, doubts=False, **query):
    studies = StudySearch(search, TODAY, doubts=doubts)
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


def test_each_modality_is_halved_by_itself():
    days = {f"1.2.{number}": f"20{number:02d}0101" for number in range(1, 8)}
    modalities = {uid: "OP" if uid < "1.2.6" else "OPT" for uid in days}
    search = capped(list(days.items()), 3, modalities=modalities)
    assert found(search, modality=["OP", "OPT"])[0] == sorted(days)


def test_studies_before_all_days_and_after_today_are_found():
    studies = [("1.2.1", "18500101"), ("1.2.2", "20100101"), ("1.2.3", "20150101"), ("1.2.4", "20300101")]
    assert found(capped(studies, 2))[0] == [uid for uid, _ in studies]
    assert found(capped(studies, 2), first="2000-01-01")[0] == ["1.2.2", "1.2.3", "1.2.4"]
    assert found(capped(studies, 2), last="2019-01-01")[0] == ["1.2.1", "1.2.2", "1.2.3"]


def test_more_studies_without_a_date_than_the_server_tells_are_an_error():
    studies = [("1.2.1", None), ("1.2.2", None), ("1.2.3", "20150101")]
    with pytest.raises(CappedError, match="Some of them have no date"):
        found(capped(studies, 2))


def test_a_full_day_is_an_error_unless_the_server_returns_more_of_something():
    day = {"first": "2010-01-01", "last": "2010-01-01"}
    studies = [("1.2.1", "20100101"), ("1.2.2", "20100101"), ("1.2.3", "20110101")]
    with pytest.raises(CappedError, match="All of them are of one day"):
        found(capped(studies, 2), **day)
    assert found(capped(studies, 3), **day)[0] == ["1.2.1", "1.2.2"]


def test_a_server_that_ignores_days_too_is_not_asked_for_each():
    studies = [(f"1.2.{number}", f"20{number:02d}0101") for number in range(1, 8)]
    asked = []
    search = capped(studies, 4, ignores_days=True)
    with pytest.raises(CappedError, match="does not tell them apart by their days"):
        found(lambda filters: asked.append(filters) or search(filters))
    assert len(asked) < 5


def silent(studies, cap):
    """Return a search that leaves out what it does not return, without a word."""
    loud = capped(studies, cap)

    def search(filters):
        with suppress(CappedError):
            yield from loud(filters)

    return search


def test_a_silent_cap_shows_in_the_halves():
    studies = [(f"1.2.{number}", f"20{number:02d}0101") for number in range(1, 8)]
    assert found(silent(studies, 2), doubts=True)[0] == [uid for uid, _ in studies]
    # Nothing more in the halves: nothing was left out, though all are of one day, or have none.
    for day in ("20100101", None):
        assert len(found(silent([(uid, day) for uid, _ in studies], 9), doubts=True)[0]) == 7
    with pytest.raises(CappedError, match="All of them are of one day"):
        found(silent([*((f"1.3.{number}", "20100101") for number in range(4)), ("1.2.1", "20150101")], 3), doubts=True)
