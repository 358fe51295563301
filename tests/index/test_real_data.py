"""The real sets: five MR scanners, and 6,392 fundus photographs with their table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.join import Key

DATA = os.environ.get("MONAI_UNLEARN_DATA")
pytestmark = pytest.mark.skipif(DATA is None, reason="MONAI_UNLEARN_DATA does not name the folder of real data")


def test_five_scanners(tmp_path):
    report = build(BuildRequest(sources=(Path(DATA) / "dicom_mr",), out=tmp_path / "index"), track=iter)
    assert (report.index.images, report.index.rows, report.faults) == (110, 110, {})
    frame = report.index.frame()
    assert frame.groupby("ManufacturerModelName").size().to_dict() == {
        "DISCOVERY MR750": 60,
        "Prisma": 6,
        "Skyra": 8,
        "TrioTim": 12,
        "uMR 770": 24,
    }
    # The uMR 770 files have `***` for dates and ages.
    assert frame["StudyDate"].isna().sum() == 24
    assert frame["PatientAge"].isna().sum() == 24


def test_fundus_photographs_and_their_table(tmp_path):
    odir = Path(DATA) / "fundus_odir"
    keys = (Key(odir / "metadata.csv", "filename"),)
    request = BuildRequest(sources=(odir,), out=tmp_path / "index", keys=keys, label="eye_label")
    report = build(request, track=iter)
    (match,) = report.matches
    assert (match.matched_rows, match.rows, match.images_without_row) == (6392, 6392, 0)
    assert (report.index.images, report.patients, report.patient_from) == (6392, 3358, "patient_id")
    frame = report.index.frame(["eye_label", "fov_style_inferred", "age"])
    assert (frame["eye_label"] == "N").sum() == 2873
    assert (frame["fov_style_inferred"] == "truncated").sum() == 1090
    again = build(request, track=iter)
    assert (again.scan.reused, again.index.digest) == (6392, report.index.digest)
