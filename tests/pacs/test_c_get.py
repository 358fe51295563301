"""Files by C-GET, from Orthanc and from DCMTK's archive, are those that were stored."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pydicom
import pytest

from monai_unlearn.errors import ArchiveError
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.pacs.association import Peer
from monai_unlearn.pacs.c_get import MOST_CONTEXTS
from monai_unlearn.pacs.dimse import Dimse
from monai_unlearn.phantom import write_fundus_studies


@pytest.mark.parametrize(("server", "called"), [("orthanc", "ORTHANC"), ("dcmqrscp", "DCMTK")])
def test_the_file_that_was_stored(tmp_path, request, server, called):
    archive = request.getfixturevalue(server)
    write_fundus_studies(tmp_path / "studies", patients=1, size=64, seed=5)
    archive.store(tmp_path / "studies")
    path = next((tmp_path / "studies").rglob("*.dcm"))
    one = pydicom.dcmread(path, stop_before_pixels=True)
    peer = replace(Peer.of(archive.dimse, aet="ME", called=called), attempts=2, wait=0.001)
    with closing(Dimse(peer)) as client:
        (tmp_path / "got.dcm").write_bytes(
            client.instance(one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID)
        )
        assert pixel_digest(tmp_path / "got.dcm") == pixel_digest(path)
        with pytest.raises(ArchiveError, match=f"{called}@.* (found no such instance|was not answered with)"):
            client.instance("1.2", "1.2.3", "1.2.3.4")


def test_as_many_contexts_as_an_association_has_beside_c_get():
    assert MOST_CONTEXTS == 127
