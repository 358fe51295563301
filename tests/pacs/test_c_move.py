"""Files by C-MOVE: an archive sends them to a port of this machine, which takes nothing else."""

from __future__ import annotations

from contextlib import closing
from io import BytesIO

import pydicom
import pytest
from orthanc import free_port
from pynetdicom import AE
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.association import Peer
from monai_unlearn.pacs.c_move import Receiver
from monai_unlearn.pacs.dimse import Dimse
from monai_unlearn.pacs.web import RefusedError
from monai_unlearn.phantom import write_fundus_studies

MOVE = (StudyRootQueryRetrieveInformationModelMove,)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    write_fundus_studies(folder / "studies", patients=1, size=64, seed=6)
    return next((folder / "studies").rglob("*.dcm"))


def uids(path):
    one = pydicom.dcmread(path, stop_before_pixels=True)
    return one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID


@pytest.mark.parametrize(("server", "called"), [("orthanc", "ORTHANC"), ("dcmqrscp", "DCMTK")])
def test_an_archive_sends_the_file(request, image, server, called):
    archive = request.getfixturevalue(server)
    port = archive.move if server == "dcmqrscp" else free_port()
    if server == "orthanc":
        archive.add_peer("client", "ME", port)
    archive.store(image.parent)
    with closing(Dimse(Peer.of(archive.dimse, aet="ME", called=called), move=port)) as client:
        for _ in range(2):  # the association is used again
            got = pydicom.dcmread(BytesIO(client.instance(*uids(image))))
        assert got.PixelData == pydicom.dcmread(image).PixelData
        assert client.requests == 2


def answering(*answers):
    def move(event):
        yield ("127.0.0.1", free_port())
        yield 0
        yield from answers

    return move


def test_an_archive_that_has_no_such_image(dimse):
    client = dimse(lambda _: iter(()), contexts=MOVE, move=answering(), port=free_port())
    with pytest.raises(RefusedError, match="C-MOVE found no such instance"):
        client.instance("1.2", "1.2.3", "1.2.3.4")


def test_an_archive_that_does_not_know_where_to_send(dimse):
    def move(_):
        yield (None, None)

    port = free_port()
    client = dimse(lambda _: iter(()), contexts=MOVE, move=move, port=port)
    with pytest.raises(ArchiveError, match=f"A801h: .* the AE title ME. Have it know that ME listens on port {port}"):
        client.instance("1.2", "1.2.3", "1.2.3.4")


def test_an_archive_without_c_move(dimse):
    client = dimse(lambda _: iter(()), port=free_port())
    with pytest.raises(ArchiveError, match="does not offer Study Root .* MOVE to ME"):
        client.instance("1.2", "1.2.3", "1.2.3.4")


def send(image, receiver, *, called="ME"):
    entity = AE(ae_title="STRANGER")
    dataset = pydicom.dcmread(image)
    entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", receiver.port, ae_title=called)
    if not association.is_established:
        return None
    status = association.send_c_store(dataset).Status
    association.release()
    return status


def test_nothing_is_taken_that_was_not_asked_for(image):
    peer = Peer(host="127.0.0.1", port=104, aet="ME", called="PACS")
    with closing(Receiver(peer, 0)) as receiver:
        assert send(image, receiver) == 0xA700
        assert send(image, receiver, called="OTHER") is None
        with receiver.expecting(uids(image)[2]) as files:
            assert send(image, receiver) == 0x0000
            assert send(image, receiver) == 0xA700  # once
            assert len(files) == 1
        assert send(image, receiver) == 0xA700
        with pytest.raises(ArchiveError, match=f"--move: port {receiver.port} of this machine cannot be listened on"):
            Receiver(peer, receiver.port)
