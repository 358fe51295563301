"""Storing files by STOW-RS."""

from __future__ import annotations

import json

import pytest
from dicom_json import item
from small_server import Reply

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import INSTANCE, text


def uids(items):
    return sorted(text(one, INSTANCE) for one in items)


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
