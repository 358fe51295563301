from __future__ import annotations

import sys

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.scan import on_dask, read
from monai_unlearn.index.scan.options import ScanOptions

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")


@pytest.mark.filterwarnings("ignore")  # dask's own
def test_index_read_on_dask_is_the_local_one(tmp_path, make_dicom, make_image, monkeypatch):
    for number in range(12):
        make_dicom(tmp_path / "images" / f"{number}.dcm", number % 10)
    make_image(tmp_path / "images" / "a.png")
    monkeypatch.setattr(read, "FILES_A_CHUNK", 2)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        request = {"sources": (tmp_path / "images",)}
        options = ScanOptions(dask=cluster.scheduler_address)
        report = build(BuildRequest(**request, out=tmp_path / "dask", scan=options), track=iter)
    local = build(BuildRequest(**request, out=tmp_path / "local"), track=iter)
    assert report.index.digest == local.index.digest
    assert report.files.added == 13


def test_address_without_a_scheduler_is_refused(monkeypatch):
    monkeypatch.setattr(on_dask, "_SECONDS_TO_CONNECT", 1)
    with pytest.raises(IndexReadError, match=r"--dask tcp://127.0.0.1:9: expected the address of a dask scheduler"):
        list(on_dask.read_on_dask([], reader=Reader.AUTO, address="tcp://127.0.0.1:9"))


def test_dask_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(IndexReadError, match=r"dask.distributed is not installed. .*monai-unlearn\[dask\]"):
        list(on_dask.read_on_dask([], reader=Reader.AUTO, address="local"))
