"""The real sets: five MR scanners, 6,392 fundus photographs with their table, and label maps of faces."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from measure_files import make_mask, make_seg
from PIL import Image
from pydicom import dcmread

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.tables.key import Key

DATA = os.environ.get("MONAI_UNLEARN_DATA")
pytestmark = pytest.mark.skipif(DATA is None, reason="MONAI_UNLEARN_DATA does not name the folder of real data")


def test_five_mr_scanners(tmp_path):
    report = build(BuildRequest(sources=(Path(DATA) / "dicom_mr",), out=tmp_path / "index"), track=iter)
    assert (report.index.images, report.index.rows) == (110, 110)
    assert {fault.code: count for fault, (count, _) in report.faults.items()} == {
        "placeholder_patient_id": 24,
        "invalid_date": 24,
        "invalid_age": 24,
        "implausible_age": 60,  # `000Y`, which anonymisers write
    }
    frame = report.index.frame()
    assert frame.groupby("ManufacturerModelName").size().to_dict() == {
        "DISCOVERY MR750": 60,
        "Prisma": 6,
        "Skyra": 8,
        "TrioTim": 12,
        "uMR 770": 24,
    }
    # The uMR 770 files have `***` for the patient, dates and ages.
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
    assert (again.files.reused, again.index.digest) == (6392, report.index.digest)


def test_label_maps_of_faces(tmp_path):
    """The real maps are PNG: each becomes an image, and a mask of it in NIfTI with pixels of 0.2 mm."""
    faces = Path(DATA) / "periorbital_masks"
    values = json.loads((faces / "label_values.json").read_text(encoding="utf-8"))
    maps = {}
    for path in sorted((faces / "masks").glob("*.png"))[:5]:
        maps[path.stem] = np.asarray(Image.open(path))
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(maps[path.stem]).save(tmp_path / "images" / path.name)
        # The x of an image grows to its right, which is the patient's left.
        make_mask(tmp_path / "masks" / f"{path.stem}_mask.nii.gz", maps[path.stem].T, np.diag([-0.2, 0.2, 1.0, 1.0]))
    request = BuildRequest(
        sources=(tmp_path / "images",),
        out=tmp_path / "index",
        measures=(tmp_path / "masks",),
        mask_labels=faces / "label_values.json",
    )
    report = build(request, track=iter)
    (match,) = report.measures
    assert (match.matched_files, match.unmatched_files, match.faults, match.conflicts) == (5, 0, {}, 0)
    assert len(match.columns) == 5 * len(values)
    frame = report.index.frame()
    for _, row in frame.iterrows():
        pixels = maps[Path(row["path"]).stem]
        for name, value in values.items():
            assert row[f"{name}_area"] == pytest.approx((pixels == value).sum() * 0.2 * 0.2)
            columns = np.nonzero(pixels == value)[1]
            if len(columns):
                assert row[f"{name}_centroid_x"] == pytest.approx(columns.mean() * 0.2, rel=1e-5)
        # A face that looks at the viewer has its right eye on the viewer's left.
        assert row["r_iris_asymmetry"] == -1.0
        assert row["l_iris_asymmetry"] == 1.0
    assert (frame["r_caruncle_area"] == 0).any()  # not every face has all ten labels


def test_segmentation_of_a_real_series(tmp_path):
    """Five sagittal slices of a series, with their bright pixels as a segmentation."""
    folder = Path(DATA) / "dicom_mr"
    slices = [
        dcmread(path) for path in sorted(folder.rglob("*")) if path.is_file() and b"DICM" in path.read_bytes()[:132]
    ]
    stack = [image for image in slices if image.SeriesInstanceUID.endswith(".14156.1")]
    pixels = np.stack([image.pixel_array for image in stack])
    bright = pixels > np.percentile(pixels, 80)
    for image in stack:  # highdicom does not accept `***`, which these have in many tags
        image.StudyDate = image.StudyTime = image.PatientBirthDate = image.PatientName = (
            image.ReferringPhysicianName
        ) = ""
    make_seg(stack, bright, {1: "Bright"}).save_as(tmp_path / "seg.dcm", enforce_file_format=True)
    request = BuildRequest(sources=(folder,), out=tmp_path / "index", measures=(tmp_path / "seg.dcm",))
    report = build(request, track=iter)
    assert report.measures[0].images_with_measures == len(stack) == 5
    frame = report.index.frame(
        ["series", "bright_volume", "bright_centroid_x", "bright_centroid_y", "bright_asymmetry"]
    )
    found = frame[frame["bright_volume"].notna()].drop_duplicates()
    assert found["series"].tolist() == [stack[0].SeriesInstanceUID]
    # The five slices are far apart, but state a distance of 1 mm: the volume counts 1 mm for each.
    voxel = float(stack[0].SpacingBetweenSlices) * np.prod(np.array(stack[0].PixelSpacing, float))
    assert found["bright_volume"].iloc[0] == pytest.approx(bright.sum() * voxel / 1000)
    x = [float(image.ImagePositionPatient[0]) for image in stack]
    assert min(x) - 10 < found["bright_centroid_x"].iloc[0] < max(x) + 10
    assert found["bright_asymmetry"].isna().all()  # the middle of sagittal slices is unknown
