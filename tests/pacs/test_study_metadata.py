"""The metadata of a study: all of it, or an error."""

from __future__ import annotations

import json

import pytest
from dicom_json import Studies, image, images_of
from small_server import Reply

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs import study_metadata
from monai_unlearn.pacs.items import INSTANCE, STUDY, text


def uids(items):
    return sorted(text(one, INSTANCE) for one in items)


def test_metadata_at_once(serve):
    server, client = serve(Studies(images_of(2)))
    assert uids(client.metadata("1.2.1", expected=2)) == ["1.2.1.9.0", "1.2.1.9.1"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("expected", [2, None])
def test_metadata_that_leaves_an_instance_out_is_asked_for_in_smaller_parts(serve, expected):
    _, client = serve(Studies(images_of(1), lacks={"1.2.1.9.1"}))
    assert uids(client.metadata("1.2.1", expected=expected)) == ["1.2.1.9.0", "1.2.1.9.1"]


def test_large_studies_are_asked_for_series_by_series(serve, monkeypatch):
    monkeypatch.setattr(study_metadata, "MOST_AT_ONCE", 3)
    images = [image("1.2.1", number, series=f"1.2.1.{number % 2}") for number in range(6)]
    server, client = serve(Studies(images))
    assert len(client.metadata("1.2.1", expected=6)) == 6
    assert "/studies/1.2.1/metadata" not in [asked.path for asked in server.asked]


def test_a_study_that_is_gone(serve):
    _, client = serve(Studies(images_of(1)))
    assert client.metadata("1.9", expected=2) is None


@pytest.mark.parametrize("expected", [2, None])
def test_an_instance_that_is_listed_and_not_returned_is_an_error(serve, expected):
    _, client = serve(Studies(images_of(1), lost={"1.2.1.9.1"}))
    with pytest.raises(ArchiveError, match=r"instances/\{instance\}/metadata was answered without the instance"):
        client.metadata("1.2.1", expected=expected)


def test_fewer_instances_than_are_listed_are_an_error_and_deleted_ones_are_not(serve):
    images = images_of(1)
    server = Studies(images)
    _, client = serve(
        lambda asked: Reply(b"", 204) if "/series" in asked.path or "meta" in asked.path else server(asked)
    )
    with pytest.raises(ArchiveError, match=r"metadata was answered with 0 instances of the 2 that the server lists"):
        client.metadata("1.2.1", expected=2)
    _, client = serve(Studies(images))
    assert len(client.metadata("1.2.1", expected=3)) == 2  # one was deleted after the studies were listed
    with pytest.raises(ArchiveError, match="2 instances of the 3 that the server lists"):
        client.series_metadata("1.2.1", "1.2.1.1", expected=3)


def test_servers_that_always_return_the_first_page_are_counted(serve):
    _, client = serve(Studies(images_of(1), lacks={"1.2.1.9.1"}, ignores_offset=True))
    assert len(client.metadata("1.2.1", expected=2)) == 2
    with pytest.raises(ArchiveError, match="the same 2 items for every page"):
        client.metadata("1.2.1")


def test_metadata_of_another_series_is_refused(serve, monkeypatch):
    monkeypatch.setattr(study_metadata, "MOST_AT_ONCE", 1)
    served = Studies([image("1.2.1", 1), image("1.2.1", 2, series="1.2.1.2")])
    other = Reply(json.dumps([image("1.2.1", 2, series="1.2.1.2")]).encode())
    _, client = serve(
        lambda asked: other if asked.path.endswith("1.2.1.1/instances/1.2.1.9.1/metadata") else served(asked)
    )
    with pytest.raises(ArchiveError, match="instances of another study or series"):
        client.metadata("1.2.1", expected=2)


def test_metadata_of_another_study_is_refused(serve):
    _, client = serve(lambda _: Reply(json.dumps([image("1.2.9", 1)]).encode()))
    with pytest.raises(
        ArchiveError, match=r"GET studies/\{study\}/metadata was answered with instances of another study"
    ):
        client.metadata("1.2.1", expected=1)


def test_an_answer_that_is_too_long_is_asked_for_in_parts(serve):
    studies = Studies(images_of(1))
    study = text(studies.images[0], STUDY)

    def answer(asked):
        is_whole = asked.path.partition("?")[0].endswith(f"/{study}/metadata")
        return Reply(b" " * (1 << 21)) if is_whole else studies(asked)

    server, client = serve(answer, most_json=1 << 20)
    assert uids(client.metadata(study, expected=len(studies.images))) == uids(studies.images)
    assert any("/series/" in asked.path for asked in server.asked)
