"""The archive that images are fetched from."""

from __future__ import annotations

import sys

import pytest
from cohort_index import make_index
from dicom_json import image
from fake_archive import FakeArchive
from pulls import pulled

from monai_unlearn.errors import ArchiveError, IndexReadError
from monai_unlearn.index.fetch.archive import ImageSource, pulled_from
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.scan.decisions import FREE_TEXT, Decisions
from monai_unlearn.index.scan.options import ScanOptions


def test_the_archive_of_the_pull(tmp_path, index):
    assert pulled_from(index) == ImageSource.of(index).address == "https://pacs/dicom-web"
    scan = ScanOptions(pseudonyms=Pseudonyms(b"k" * 32), decisions=Decisions(keep=frozenset(FREE_TEXT)))
    hidden = pulled(tmp_path / "hidden", FakeArchive([image("1.2.1", 1)]), scan=scan).build.index
    with pytest.raises(IndexReadError, match="this index has pseudonyms"):
        pulled_from(hidden)
    for options in ({"dicomweb": "https://other"}, {"dimse": "pacs:104", "called": "PACS", "aet": "ME"}):
        with pytest.raises(IndexReadError, match="de-identify the images first .* `monai-unlearn index build`"):
            ImageSource.of(hidden, **options)
    with pytest.raises(IndexReadError, match="was not pulled from an archive"):
        pulled_from(make_index(tmp_path / "built", {"image_id": ["a"]}))


def test_each_protocol():
    with ImageSource(address="https://pacs/dicom-web", connections=2).opened() as web:
        assert web.access.url == "https://pacs/dicom-web"
    with ImageSource(address="dimse://PACS@pacs:104", aet="ME").opened() as dimse:
        assert (dimse.peer.called, dimse.peer.aet, dimse.peer.port) == ("PACS", "ME", 104)
    with pytest.raises(ArchiveError, match="--aet"), ImageSource(address="dimse://PACS@pacs:104").opened():
        pass


def test_another_archive_than_that_of_the_pull(index):
    found = ImageSource.of(index, dimse="pacs:104", called="PACS", aet="ME", move=11112)
    assert (found.address, found.move) == ("dimse://PACS@pacs:104", 11112)
    assert ImageSource.of(index, dicomweb="https://other").address == "https://other"
    with pytest.raises(ArchiveError, match="Name the archive once"):
        ImageSource.of(index, dicomweb="https://other", dimse="pacs:104")
    with pytest.raises(ArchiveError, match="--dimse takes --called"):
        ImageSource.of(index, dimse="pacs:104")
    with pytest.raises(ArchiveError, match="--move: C-MOVE takes an archive that speaks DIMSE"):
        ImageSource.of(index, move=11112)


def test_a_missing_package_is_named(monkeypatch):
    for name in [
        name for name in sys.modules if name.startswith(("monai_unlearn.pacs.dimse", "monai_unlearn.pacs.ass"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with pytest.raises(ArchiveError, match="takes pynetdicom"), ImageSource(address="dimse://A@b:1", aet="M").opened():
        pass
