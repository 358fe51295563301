"""A DIMSE client against a small server of pynetdicom's, which answers as a test says."""

from __future__ import annotations

import gc

import pytest
from orthanc import free_port
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.dimse import Dimse, Peer
from monai_unlearn.pacs.items import STUDY, text
from monai_unlearn.pacs.paging import CappedError


def found(uid):
    dataset = Dataset()
    dataset.QueryRetrieveLevel, dataset.StudyInstanceUID = "STUDY", uid
    return dataset


@pytest.fixture
def serve():
    servers = []

    def run(answer, **options):
        entity = AE(ae_title="PACS")
        entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        entity.require_called_aet = True
        port = free_port()
        server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_FIND, answer)])
        client = Dimse(
            Peer(
                **{
                    "host": "127.0.0.1",
                    "port": port,
                    "aet": "ME",
                    "called": "PACS",
                    "attempts": 2,
                    "wait": 0.001,
                    **options,
                }
            )
        )
        servers.append((server, client))
        return client

    yield run
    for server, client in servers:
        client.close()
        server.shutdown()


def find(client):
    return [text(one, STUDY) for one in client.find("STUDY", {"StudyDate": "20200101-"}, [0x0020000D, 0x00082218])]


def test_results_as_dicom_json(serve):
    asked = []

    def answer(event):
        asked.append(event.identifier)
        yield from ((0xFF00, found(f"1.2.{number}")) for number in range(3))

    client = serve(answer)
    assert find(client) == find(client) == ["1.2.0", "1.2.1", "1.2.2"]
    assert (asked[0].QueryRetrieveLevel, asked[0].StudyDate, len(asked[0].AnatomicRegionSequence)) == (
        "STUDY",
        "20200101-",
        0,
    )
    assert client.requests == 2


def test_out_of_resources_after_some_results_is_a_cap(serve):
    def answer(_):
        yield 0xFF00, found("1.2.1")
        yield 0xA700, None

    with pytest.raises(CappedError, match="C-FIND STUDY was answered with 1 results and no more"):
        find(serve(answer))


def test_out_of_resources_passes(serve):
    statuses = [0xA700]

    def answer(_):
        if statuses:
            yield statuses.pop(), None
        yield 0xFF00, found("1.2.1")

    assert find(serve(answer)) == ["1.2.1"]


def test_other_failures_name_their_status(serve):
    def answer(_):
        yield 0xC001, None

    with pytest.raises(ArchiveError, match=r"PACS@127\.0\.0\.1:\d+: C-FIND was answered with the status C001h"):
        find(serve(answer))


def test_a_refused_association_says_what_to_do(serve):
    with pytest.raises(ArchiveError, match="refused the association. Check --called, and have the archive know .* ME"):
        find(serve(lambda _: iter(()), called="OTHER"))


# pynetdicom does not close the socket of a connection that was refused.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nobody_there():
    with pytest.raises(ArchiveError, match="found no archive"):
        find(Dimse(Peer(host="127.0.0.1", port=free_port(), aet="ME", called="PACS", attempts=2, wait=0.001)))
    gc.collect()


@pytest.mark.parametrize(
    ("address", "aet", "message"),
    [
        ("pacs", "ME", "HOST:PORT"),
        ("pacs:99999", "ME", "HOST:PORT"),
        ("pacs:104", None, "--aet"),
        ("pacs:104", "X" * 17, "--aet"),
    ],
)
def test_options(address, aet, message):
    with pytest.raises(ArchiveError, match=message):
        Peer.of(address, aet=aet, called="PACS")
    assert Peer.of("pacs:104", aet="ME", called="PACS").server == "PACS@pacs:104"
