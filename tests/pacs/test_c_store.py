from __future__ import annotations

from contextlib import contextmanager

import pytest
from archive_example import report_of

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.c_store import CStore
from monai_unlearn.phantom import write_mri_studies

pynetdicom = pytest.importorskip("pynetdicom")


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
        sender = CStore.of(address, aet="ME", called="PEER")
        assert sender.send([], [report]) == ([report.SOPInstanceUID] if refused else [])
        assert came == [report.SOPInstanceUID]


def test_an_archive_that_takes_no_reports(report):
    with peer("1.2.840.10008.5.1.4.1.1.2") as (address, came):
        with pytest.raises(ArchiveError, match="no association was made"):
            CStore.of(address, aet="ME", called="PEER").send([], [report])
        assert not came


# pynetdicom leaves the socket of a connection that was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_archive_of_another_title_and_none_at_all(report):
    with peer(report.SOPClassUID) as (address, _), pytest.raises(ArchiveError, match="no association was made"):
        CStore.of(address, aet="ME", called="OTHER").send([], [report])
    with pytest.raises(ArchiveError, match="no association was made"):
        CStore.of(address, aet="ME", called="PEER").send([], [report])


@pytest.mark.parametrize("address", ["pacs", "pacs:x", "pacs:0", ":104", "pacs:70000"])
def test_an_address_of_another_form(address):
    with pytest.raises(ArchiveError, match="--dimse: expected HOST:PORT"):
        CStore.of(address, aet="ME", called="PEER")


def test_a_title_of_another_form():
    with pytest.raises(ArchiveError, match="--called: expected an AE title"):
        CStore.of("pacs:104", aet="ME", called="A TITLE THAT IS TOO LONG")
