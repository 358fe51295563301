"""A DIMSE client against a small server of pynetdicom's, which answers as a test says."""

from __future__ import annotations

import gc
from io import BytesIO

import pytest
from orthanc import free_port
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit
from pynetdicom import AE, DEFAULT_TRANSFER_SYNTAXES, evt
from pynetdicom.sop_class import (
    OphthalmicPhotography8BitImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

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

    def run(answer, *, contexts=(StudyRootQueryRetrieveInformationModelFind,), get=None, **options):
        entity = AE(ae_title="PACS")
        for context in contexts:
            uid, *syntaxes = [context] if isinstance(context, str) else context
            entity.add_supported_context(uid, syntaxes or DEFAULT_TRANSFER_SYNTAXES, scu_role=True, scp_role=True)
        entity.require_called_aet = True
        port = free_port()
        handlers = [(evt.EVT_C_FIND, answer), *([] if get is None else [(evt.EVT_C_GET, get)])]
        server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
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


@pytest.mark.parametrize("status", [0xA700, 0xFE00], ids=["out of resources", "cancelled"])
def test_an_answer_that_is_ended_after_some_results_is_a_cap(serve, status):
    def answer(_):
        yield 0xFF00, found("1.2.1")
        yield status, None

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


def test_a_service_that_the_archive_does_not_offer(serve):
    client = serve(lambda _: iter(()), contexts=(Verification,))
    with pytest.raises(ArchiveError, match="does not offer Study Root .* FIND to ME"):
        find(client)
    client = serve(lambda _: iter(()), contexts=(OphthalmicPhotography8BitImageStorage,))
    with pytest.raises(ArchiveError, match="does not offer Study Root .* GET to ME"):
        client.instance("1.2", "1.2.3", "1.2.3.4")


def compressed():
    """An image that an archive stores compressed."""
    dataset = found("1.2")
    del dataset.QueryRetrieveLevel
    dataset.SOPClassUID, dataset.SOPInstanceUID = OphthalmicPhotography8BitImageStorage, "1.2.3.4"
    dataset.SeriesInstanceUID = "1.2.3"
    dataset.PixelData = encapsulate([b"jpeg"])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return dataset


def test_a_compressed_image_that_the_archive_does_not_decompress(serve):
    def answer(event):
        dataset = found("1.2")
        dataset.QueryRetrieveLevel, dataset.SOPClassUID = "IMAGE", OphthalmicPhotography8BitImageStorage
        yield 0xFF00, dataset

    def get(_):
        yield 1
        yield 0xFF00, compressed()

    photograph = (OphthalmicPhotography8BitImageStorage, *DEFAULT_TRANSFER_SYNTAXES, JPEGBaseline8Bit)
    services = (StudyRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelGet)
    client = serve(answer, contexts=(*services, photograph), get=get)
    file = dcmread(BytesIO(client.instance("1.2", "1.2.3", "1.2.3.4")))
    assert file.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert file.PixelData == compressed().PixelData


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
