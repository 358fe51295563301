"""What Orthanc says has changed, from answers as Orthanc 1.10 gives them."""

from __future__ import annotations

import json

import pytest
from small_server import Reply, small_server

from monai_unlearn.pacs.access import Access
from monai_unlearn.pacs.orthanc import Changes, Orthanc
from monai_unlearn.pacs.web import Web

SYSTEM = {"ApiVersion": 16, "DatabaseVersion": 6, "DicomAet": "ORTHANC"}
# Two studies of two instances each; the second change is one of a study itself.
KINDS = [("NewInstance", "i1"), ("NewStudy", "s1"), ("NewInstance", "i2"), ("NewInstance", "i3"), ("NewInstance", "i4")]
CHANGES = [{"ChangeType": kind, "ID": name, "Seq": number} for number, (kind, name) in enumerate(KINDS, 1)]
STUDIES = {"s1": ("1.2.1", ["i1", "i2"]), "s2": ("1.2.2", ["i3", "i4"])}


def resources():
    """Return what Orthanc has at its paths."""
    found = {"/system": SYSTEM}
    for key, (uid, members) in STUDIES.items():
        found[f"/studies/{key}/instances"] = [{"ID": member} for member in members]
        for member in members:
            found[f"/instances/{member}/study"] = {"ID": key, "MainDicomTags": {"StudyInstanceUID": uid}}
    return found


@pytest.fixture
def orthanc():
    answers = {"last": 5, "instances": 4}

    def answer(asked):
        found = resources()
        found["/statistics"] = {"CountInstances": answers["instances"]}
        found["/changes?last"] = {"Last": answers["last"], "Changes": []}
        if asked.path.startswith("/changes?since="):
            since = int(asked.path.partition("=")[2].partition("&")[0])
            page = [change for change in CHANGES if since < change["Seq"] <= answers["last"]][:2]
            return reply({"Changes": page, "Last": page[-1]["Seq"] if page else since})
        return reply(found[asked.path]) if asked.path in found else Reply(b"", 404)

    with small_server(answer) as server:
        web = Web(Access(url=f"{server.url}/dicom-web", attempts=2, wait=0.001))
        yield Orthanc(web), answers
        web.close()


def reply(document):
    return Reply(json.dumps(document).encode())


def test_all_studies_without_a_cursor(orthanc):
    server, _ = orthanc
    assert server.is_there()
    cursor = {"changes": 5, "instances": 4}
    assert server.changes(None) == server.changes({"day": "2020-01-01"}) == Changes(cursor, None)


def test_nothing_has_changed(orthanc):
    server, _ = orthanc
    assert server.changes({"changes": 5, "instances": 4}).studies == frozenset()


def test_studies_of_new_instances(orthanc):
    server, _ = orthanc
    assert server.changes({"changes": 3, "instances": 2}).studies == {"1.2.2"}
    assert server.changes({"changes": 0, "instances": 0}).studies == {"1.2.1", "1.2.2"}


def test_a_deletion_is_seen_in_the_number_of_instances(orthanc):
    server, answers = orthanc
    answers["instances"] = 3
    assert server.changes({"changes": 5, "instances": 4}).studies is None
    assert server.changes({"changes": 3, "instances": 2}).studies is None


def test_an_image_that_replaces_another_leaves_the_number_of_instances(orthanc):
    server, answers = orthanc
    answers["instances"] = 3
    found = server.changes({"changes": 3, "instances": 3})
    assert (found.studies, found.new) == (None, {"1.2.2": 5})


def test_a_cursor_of_another_store_is_not_used(orthanc):
    server, _ = orthanc
    assert server.changes({"changes": 900, "instances": 4}).studies is None


def test_an_instance_that_is_gone_already(orthanc, monkeypatch):
    server, _ = orthanc
    monkeypatch.delitem(STUDIES, "s2")
    assert server.changes({"changes": 3, "instances": 2}).studies is None
    assert server.changes({"changes": 0, "instances": 0}).new == {"1.2.1": 3}


def test_another_server_is_not_orthanc():
    with small_server(lambda _: Reply(b"[]")) as server:
        web = Web(Access(url=f"{server.url}/dicom-web", attempts=1))
        assert not Orthanc(web).is_there()
        web.close()
