from __future__ import annotations

from importlib.util import find_spec

import pytest

from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.scan import read, spool
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.store import part_writer


@pytest.mark.parametrize(
    "options",
    [
        {"reader": Reader.PLAIN},
        {"reader": Reader.PYDICOM},
        {"workers": 2},
        {"workers": 3, "reader": Reader.PYDICOM},
        pytest.param(
            {"reader": Reader.GDCM}, marks=pytest.mark.skipif(find_spec("gdcm") is None, reason="no python-gdcm")
        ),
    ],
)
def test_content_does_not_depend_on_the_reader(options, run, monkeypatch):
    expected = run().index
    monkeypatch.setattr(read, "_WORTH_WORKERS", 1)
    monkeypatch.setattr(read, "FILES_A_CHUNK", 7)
    monkeypatch.setattr(spool, "FILES_A_BATCH", 11)
    monkeypatch.setattr(part_writer, "ROWS_A_PART", 9)
    index = run("other", **options).index
    assert index.digest == expected.digest
    assert len(index.parts) == 5
    assert index.frame().equals(expected.frame())
    assert (index.frame()["fault"] == "duplicate_sop_instance_uid").sum() == 1


@pytest.mark.parametrize(
    ("count", "options", "expected"),
    [
        (999, {"workers": 4}, "here"),
        (1000, {"workers": 4}, "processes"),
        (1000, {"workers": 1}, "here"),
        (1, {"workers": 1, "reader": Reader.GDCM}, "processes"),  # GDCM may crash its process
        (1, {"dask": "local"}, "dask"),
    ],
)
def test_who_reads_depends_on_the_files_and_the_options(count, options, expected, monkeypatch):
    monkeypatch.setattr(read, "_read_here", lambda *_: "here")
    monkeypatch.setattr(read, "read_in_processes", lambda *_, **__: "processes")
    monkeypatch.setattr(read, "_read_there", lambda *_: "dask")
    options = ScanOptions(**options)
    assert read._read(count, options)([], options) == expected
