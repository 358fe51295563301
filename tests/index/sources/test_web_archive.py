"""A DICOMweb server as a source: which studies it is asked for at the next pull."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import pytest
from dicom_json import Studies, images_of
from small_server import small_server

from monai_unlearn.index.sources.archive import Asked
from monai_unlearn.index.sources.web_archive import WebArchive
from monai_unlearn.pacs.access import Access
from monai_unlearn.pacs.items import STUDY, text
from monai_unlearn.pacs.orthanc import Changes, Orthanc
from monai_unlearn.pacs.study_query import StudyQuery

TODAY = dt.date(2020, 3, 1)


@pytest.fixture
def archive():
    with small_server(Studies(images_of(3))) as server:
        access = Access(url=server.url, attempts=1, wait=0.001)
        with closing(WebArchive(access, today=TODAY)) as found:
            yield found


def test_studies_and_metadata(archive):
    assert [text(one, STUDY) for one in archive.studies(StudyQuery())] == ["1.2.1", "1.2.2", "1.2.3"]
    assert [text(one, STUDY) for one in archive.study("1.2.2")] == ["1.2.2"]
    assert archive.study("1.9") == []
    assert len(archive.metadata("1.2.1", expected=2)) == 2
    assert archive.traffic()["requests"] > 3
    assert archive.traffic()["bytes"] > 100
    assert (archive.name, archive.tells_pixels) == (f"http://{archive.server}", True)


@pytest.mark.parametrize("named", [True, False])
def test_whether_a_server_names_pixels_is_seen_in_some_studies(named):
    images = images_of(3)
    for one in images[:-1] if named else images:
        del one["7FE00010"]
    with small_server(Studies(images)) as server:
        access = Access(url=server.url, attempts=1, wait=0.001)
        with closing(WebArchive(access, today=TODAY)) as archive:
            assert archive.tells_pixels is named
            asked = len(server.asked)
            assert archive.tells_pixels is named
            assert len(server.asked) == asked


def test_a_server_that_does_not_say_what_changed_is_asked_for_recent_days(archive):
    cursor = {"day": "2020-03-01"}
    assert archive.asked(None) == Asked("all", cursor)
    assert archive.asked({"day": "2020-02-10"}) == Asked("window", cursor, since=dt.date(2020, 1, 11))
    assert archive.asked({"changes": 3}) == Asked("all", cursor)
    assert archive.asked({"day": "soon"}) == Asked("all", cursor)


@pytest.mark.parametrize(("studies", "how"), [(None, "all"), (frozenset({"1.2"}), "changes")])
def test_orthanc_says_what_changed(archive, monkeypatch, studies, how):
    monkeypatch.setattr(Orthanc, "is_there", lambda _: True)
    monkeypatch.setattr(Orthanc, "changes", lambda _, since: Changes({"changes": 7, **(since or {})}, studies))
    assert archive.asked({"instances": 4}) == Asked(how, {"changes": 7, "instances": 4}, studies)
