"""Which studies are asked for, and that a server which ignores a filter is noticed."""

from __future__ import annotations

import datetime as dt

import pytest
from dicom_json import item

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.study_query import StudyQuery, day_of


def test_filters_of_each_search():
    query = StudyQuery.of(modality=["op,MR", "OP"], first="2015-01-01", last="2016-12-31", aet="PACS")
    common = {"StudyDate": "20150101-20161231", "RetrieveAETitle": "PACS"}
    assert [one.filter() for one in query.apart()] == [{**common, "ModalitiesInStudy": name} for name in ("MR", "OP")]
    assert StudyQuery.of(first="2015-01-01").filter() == {"StudyDate": "20150101-"}
    assert [one.filter() for one in StudyQuery().apart()] == [{}]
    assert StudyQuery().within(None, dt.date(1899, 12, 31)).filter() == {"StudyDate": "-18991231"}


@pytest.mark.parametrize(
    ("study", "is_one"),
    [
        ({"StudyDate": "20150601", "ModalitiesInStudy": ["OP", "SR"]}, True),
        ({"StudyDate": "20150601", "ModalitiesInStudy": ["MR"]}, False),
        ({"StudyDate": "20140601", "ModalitiesInStudy": ["OP"]}, False),
        ({"StudyDate": "20170601", "ModalitiesInStudy": ["OP"]}, False),
        ({"StudyDate": "20150601"}, True),
        ({"StudyDate": None, "ModalitiesInStudy": ["OP"]}, True),
        ({"StudyDate": "2015", "ModalitiesInStudy": ["OP"]}, True),
        ({"StudyDate": "20150601", "RetrieveAETitle": ["OTHER"]}, False),
    ],
)
def test_what_a_server_finds_is_checked(study, is_one):
    query = StudyQuery.of(modality=["OP"], first="2015-01-01", last="2015-12-31", aet="PACS")
    assert query.matches(item(**study)) is is_one


def test_the_day_of_a_study():
    assert day_of(item(StudyDate="20150601")) == dt.date(2015, 6, 1)
    assert day_of(item(StudyDate="2015")) is day_of(item(StudyDate=None)) is None
    assert StudyQuery(last=dt.date(2015, 6, 1)).has(None)


def test_days_that_are_none():
    with pytest.raises(ArchiveError, match="--from: expected a day such as 2015-01-31"):
        StudyQuery.of(first="01.02.2015")
    with pytest.raises(ArchiveError, match="--from and --to"):
        StudyQuery.of(first="2016-01-01", last="2015-01-01")


def test_document():
    day = dt.date(2015, 1, 1)
    assert StudyQuery(first=day).document() == {"modalities": [], "from": "2015-01-01", "to": None, "aet": None}
    assert StudyQuery(modalities=("OP",)).within(day, day).document()["to"] == "2015-01-01"
