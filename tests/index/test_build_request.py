from __future__ import annotations

from pathlib import Path

from monai_unlearn.index.build_request import BuildRequest
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.tables.key import Key


def test_request_without_options_reads_as_usual():
    request = BuildRequest(sources=(Path("images"),), out=Path("index"))
    assert request.scan == ScanOptions()
    assert request.not_images == [Path("index")]


def test_tables_labels_and_the_index_are_not_images():
    keys = (Key(Path("images/a.csv"), "k"), Key(Path("b.parquet"), "k"))
    request = BuildRequest(
        sources=(Path("images"),), out=Path("images/index"), keys=keys, mask_labels=Path("labels.json")
    )
    assert request.not_images == [Path("images/index"), Path("images/a.csv"), Path("b.parquet"), Path("labels.json")]
