"""The archive that a command line names."""

from __future__ import annotations

import datetime as dt
import sys

import pytest

from monai_unlearn.errors import ArchiveError
from monai_unlearn.index.sources.open_archive import open_archive

NOTHING = {"dicomweb": None, "dimse": None, "aet": None, "called": None}


def opened(**options):
    return open_archive(**{**NOTHING, **options}, connections=2, tags=(), today=dt.date(2020, 1, 1))


def test_each_protocol():
    web = opened(dicomweb="https://pacs/dicom-web")
    assert (web.name, web.server) == ("https://pacs/dicom-web", "pacs")
    web.close()
    dimse = opened(dimse="pacs:104", aet="ME", called="PACS")
    assert (dimse.name, dimse.server, dimse.tells_pixels) == ("dimse://PACS@pacs:104", "PACS@pacs:104", False)
    dimse.close()


@pytest.mark.parametrize("options", [{}, {"dicomweb": "https://pacs", "dimse": "pacs:104"}])
def test_one_of_them(options):
    with pytest.raises(ArchiveError, match="either --dicomweb URL, or --dimse HOST:PORT"):
        opened(**options)


def test_a_missing_package_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("monai_unlearn.pacs.dimse")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "monai_unlearn.index.sources.dimse_archive", raising=False)
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with pytest.raises(ArchiveError, match="takes pynetdicom.*monai-unlearn"):
        opened(dimse="pacs:104", aet="ME", called="PACS")
