"""A DICOMweb client: nothing is lost where a server caps, leaves out or cuts, and nothing is doubled."""

from __future__ import annotations

import json

import pytest
from dicom_json import Studies, image, images_of, item
from small_server import Reply

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs import dicomweb
from monai_unlearn.pacs.items import INSTANCE, OF_STUDY, STUDY, count, text


def uids(items):
    return sorted(text(one, INSTANCE) for one in items)


@pytest.mark.parametrize("options", [{}, {"cap": 2}, {"cap": 1, "warns": True}])
def test_search_pages_and_asks_for_fields_by_number(serve, options):
    server, client = serve(Studies(images_of(5), **options))
    found = list(
        client.search("studies", key=(STUDY,), filters={"StudyDate": "20180101-"}, fields=["PatientSex", "StudyID"])
    )
    assert [text(one, STUDY) for one in found] == [f"1.2.{number}" for number in range(1, 6)]
    assert [count(one, OF_STUDY) for one in found] == [2] * 5
    assert "includefield=00100040&includefield=00200010" in server.asked[0].path
    assert "StudyDate=20180101-" in server.asked[0].path


def test_other_warnings_than_of_more_results_are_none(serve):
    page = Studies(images_of(2))

    def answer(asked):
        reply = page(asked)
        reply.headers["Warning"] = '299 pacs: "The fuzzymatching parameter is not supported"'
        return reply

    _, client = serve(answer)
    assert len(list(client.search("studies", key=(STUDY,)))) == 2


def test_metadata_at_once(serve):
    server, client = serve(Studies(images_of(2)))
    assert uids(client.metadata("1.2.1", expected=2)) == ["1.2.1.9.0", "1.2.1.9.1"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("expected", [2, None])
def test_metadata_that_leaves_an_instance_out_is_asked_for_in_smaller_parts(serve, expected):
    _, client = serve(Studies(images_of(1), lacks={"1.2.1.9.1"}))
    assert uids(client.metadata("1.2.1", expected=expected)) == ["1.2.1.9.0", "1.2.1.9.1"]


def test_large_studies_are_asked_for_series_by_series(serve, monkeypatch):
    monkeypatch.setattr(dicomweb, "MOST_AT_ONCE", 3)
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
    monkeypatch.setattr(dicomweb, "MOST_AT_ONCE", 1)
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


def test_an_instance(serve):
    content = b"--b\r\nContent-Type: application/dicom\r\n\r\nfile\r\n--b--"
    replies = [content, content[:-9]]
    kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    server, client = serve(lambda _: Reply(replies.pop(), headers=kind))
    assert client.instance("1.2", "1.2.3", "1.2.3.4") == b"file"
    assert server.asked[1].path == "/studies/1.2/series/1.2.3/instances/1.2.3.4"
    assert "transfer-syntax=*" in server.asked[1].headers["Accept"]


def test_storing(serve):
    stored = {"00081199": {"vr": "SQ", "Value": [item(ReferencedSOPInstanceUID="1.2.3")]}}
    server, client = serve(lambda _: Reply(json.dumps(stored).encode()))
    assert client.store([b"one", b"two"], study="1.2") == stored
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/studies/1.2")
    assert asked.content.count(b"Content-Type: application/dicom\r\n\r\n") == 2
    assert asked.headers["Content-Type"].startswith('multipart/related; type="application/dicom"; boundary=')
    _, other = serve(lambda _: Reply(b"<html>"))
    with pytest.raises(ArchiveError, match="expected DICOM JSON as the answer"):
        other.store([b"one"])


@pytest.mark.parametrize(
    "reply", [Reply(b"", 409), Reply(b"", 200), Reply(b"{}"), Reply(b'{"00081199": {"vr": "SQ"}}')]
)
def test_an_answer_that_does_not_say_what_was_stored_is_an_error(serve, reply):
    _, client = serve(lambda _: reply)
    with pytest.raises(ArchiveError, match=rf"POST studies was answered with {reply.status} and without the files"):
        client.store([b"one"])


def test_search_refuses_other_json(serve):
    _, client = serve(lambda _: Reply(b'{"a": 1}'))
    with pytest.raises(ArchiveError, match="JSON that is not a list"):
        list(client.search("studies", key=(STUDY,)))
