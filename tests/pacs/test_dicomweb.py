"""A DICOMweb client: nothing is lost where a server caps, leaves out or cuts, and nothing is doubled."""

from __future__ import annotations

import pytest
from dicom_json import Studies, images_of
from small_server import Reply

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import INSTANCE, OF_STUDY, STUDY, count, text
from monai_unlearn.pacs.paging import CappedError


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


def test_an_instance(serve):
    content = b"--b\r\nContent-Type: application/dicom\r\n\r\nfile\r\n--b--"
    replies = [content, content[:-9]]
    kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    server, client = serve(lambda _: Reply(replies.pop(), headers=kind))
    assert client.instance("1.2", "1.2.3", "1.2.3.4") == b"file"
    assert server.asked[1].path == "/studies/1.2/series/1.2.3/instances/1.2.3.4"
    assert "transfer-syntax=*" in server.asked[1].headers["Accept"]


def test_search_refuses_other_json(serve):
    _, client = serve(lambda _: Reply(b'{"a": 1}'))
    with pytest.raises(ArchiveError, match="JSON that is not a list"):
        list(client.search("studies", key=(STUDY,)))


def test_a_search_whose_answer_is_too_long_is_one_of_which_there_is_more(serve):
    _, client = serve(Studies(images_of(2)), most_json=100)
    with pytest.raises(CappedError, match="was answered with more than 0 MB") as raised:
        list(client.search("studies", key=(STUDY,)))
    assert raised.value.says_more
