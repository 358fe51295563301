from __future__ import annotations

from typing import TYPE_CHECKING

import mutants_decoding
import pyarrow as pa

from monai_unlearn.index.scan import decode_check
from monai_unlearn.index.scan.decode_check import DecodeCheck

if TYPE_CHECKING:
    from pathlib import Path


def _rows(*files: tuple[Path, str | None, str | None]) -> pa.Table:
    columns = {
        "path": [str(path) for path, _, _ in files],
        "format": [file_format for _, file_format, _ in files],
        "fault": pa.array([fault for _, _, fault in files], pa.string()),
        "faults": pa.array([fault for _, _, fault in files], pa.string()),
    }
    return pa.table(columns)


def test_rows_keep_their_faults_unless_pixels_have_a_more_serious_one(compressed, tmp_path):
    good = compressed("good.dcm")
    bad = compressed("bad.dcm", lambda frames: [b"\xff" * 100 for _ in frames])
    rows = _rows(
        (good, "dicom", None),
        (bad, "dicom", None),
        (bad, "dicom", "invalid_date"),
        (good, "dicom", "invalid_date"),
        (bad, "dicom", "truncated"),
        (tmp_path / "words", None, "not_an_image"),
    )
    with DecodeCheck(workers=1) as check:
        found = check.rows(rows)
    assert found["fault"].to_pylist() == [
        None,
        "pixel_data_undecodable",
        "pixel_data_undecodable",
        "invalid_date",
        "truncated",
        "not_an_image",
    ]
    assert found.schema == rows.schema


def test_decoder_that_crashes_or_hangs_costs_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(decode_check, "_faults_of", mutants_decoding.die_or_hang)
    monkeypatch.setattr(decode_check, "_FILES_A_CHUNK", 3)
    monkeypatch.setattr(decode_check, "_SECONDS_A_FILE", 2)
    names = ["a", "die", "b", "c", "d", "e", "hang", "f"]
    with DecodeCheck(workers=1) as check:
        found = check.rows(_rows(*((tmp_path / name, "dicom", None) for name in names)))
    assert dict(zip(names, found["fault"].to_pylist(), strict=True)) == {
        **dict.fromkeys("abcdef"),
        "die": "pixel_data_undecodable",
        "hang": "pixel_data_undecodable",
    }
