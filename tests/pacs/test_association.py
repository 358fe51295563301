"""Associations with archives, and why there is none."""

from __future__ import annotations

import gc

import pytest
from orthanc import free_port
from pynetdicom.sop_class import OphthalmicPhotography8BitImageStorage, Verification

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.association import Peer
from monai_unlearn.pacs.dimse import Dimse


def find(client):
    return list(client.find("STUDY", {}, [0x0020000D]))


def test_a_refused_association_says_what_to_do(dimse):
    with pytest.raises(ArchiveError, match="refused the association. Check --called, and have the archive know .* ME"):
        find(dimse(lambda _: iter(()), called="OTHER"))


def test_a_service_that_the_archive_does_not_offer(dimse):
    client = dimse(lambda _: iter(()), contexts=(Verification,))
    with pytest.raises(ArchiveError, match="does not offer Study Root .* FIND to ME"):
        find(client)
    client = dimse(lambda _: iter(()), contexts=(OphthalmicPhotography8BitImageStorage,))
    with pytest.raises(ArchiveError, match="does not offer Study Root .* GET to ME"):
        client.instance("1.2", "1.2.3", "1.2.3.4")


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
