from __future__ import annotations

from pathlib import Path

import pytest

from monai_unlearn.index.fast_readers import Reader, read_files, schema
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.index.scan.decisions import Decisions
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.file_rows import finished, rows_of
from monai_unlearn.index.scan.options import ScanOptions

NAMES = Pseudonyms(b"k" * 32)
OPTIONS = {
    "pixel_digest": True,
    "pseudonyms": NAMES,
    "extra_tags": ExtraTags(("SeriesNumber",)),
    "decisions": Decisions(drop=frozenset(("StationName",))),
}


@pytest.fixture
def file(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "a", 3, StationName="S1", SeriesNumber=7, PatientBirthDate="19600101")
    return Listed(path=str(path), relative="a")


def test_rows_have_what_the_options_say(file):
    (row,) = rows_of([file], reader=Reader.AUTO, options=ScanOptions(**OPTIONS)).to_pylist()
    assert row["pixel_digest"] == pixel_digest(Path(file.path))
    assert row["PatientID"] == NAMES.of("patient", "P3")
    assert row["extra_tags"] == '{"SeriesNumber": "7"}'
    assert row["StationName"] is None
    assert row["birth_check"] not in (None, "19600101")


def test_rows_are_finished_once_pixels_were_decoded(file):
    options = ScanOptions(decode_check=True, **OPTIONS)
    found = rows_of([file], reader=Reader.AUTO, options=options)
    assert found["PatientID"].to_pylist() == ["P3"]
    assert found["pixel_digest"].to_pylist() == [pixel_digest(Path(file.path))]
    assert finished(found, options) == rows_of([file], reader=Reader.AUTO, options=ScanOptions(**OPTIONS))


def test_birth_dates_are_replaced_whatever_the_options(file):
    found = rows_of([file], reader=Reader.PYDICOM, options=ScanOptions())
    assert found.schema == schema()
    assert int(found["birth_check"][0].as_py()) < 32
    assert read_files([file], reader=Reader.PYDICOM)["birth_check"].to_pylist() == ["19600101"]
