from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from archive_example import report_of

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.association import Peer
from monai_unlearn.pacs.c_store import CStore
from monai_unlearn.phantom import write_mri_studies

pynetdicom = pytest.importorskip("pynetdicom")


def sender(address, *, called="PEER"):
    return CStore(replace(Peer.of(address, aet="ME", called=called), attempts=2, wait=0.001))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    out = tmp_path_factory.mktemp("scans") / "studies"
    write_mri_studies(out, patients=1, size=32, slices=1)
    return report_of(next(out.rglob("*.dcm")), "0.1.0")


@contextmanager
def peer(kind, *, status=0x0000):
    """A storage SCP on loopback, with what it was sent."""
    came = []

    def store(event):
        came.append(event.dataset.SOPInstanceUID)
        return status

    entity = pynetdicom.AE(ae_title="PEER")
    entity.require_called_aet = True
    entity.add_supported_context(kind)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(pynetdicom.evt.EVT_C_STORE, store)])
    try:
        yield f"127.0.0.1:{server.server_address[1]}", came
    finally:
        server.shutdown()


@pytest.mark.parametrize(("status", "refused"), [(0x0000, False), (0xB000, False), (0xA700, True)])
def test_a_report_is_stored_or_refused(report, status, refused):
    with peer(report.SOPClassUID, status=status) as (address, came):
        assert sender(address).send([], [report]) == ([report.SOPInstanceUID] if refused else [])
        assert came == [report.SOPInstanceUID]


def test_an_archive_that_takes_no_reports(report):
    with peer("1.2.840.10008.5.1.4.1.1.2") as (address, came):
        with pytest.raises(ArchiveError, match="does not offer Comprehensive .* to ME"):
            sender(address).send([], [report])
        assert not came


# pynetdicom leaves the socket of a connection that was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_archive_of_another_title_and_none_at_all(report):
    with peer(report.SOPClassUID) as (address, _), pytest.raises(ArchiveError, match="refused the association"):
        sender(address, called="OTHER").send([], [report])
    with pytest.raises(ArchiveError, match="C-STORE found no archive"):
        sender(address).send([], [report])
