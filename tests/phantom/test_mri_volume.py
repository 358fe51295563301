from __future__ import annotations

import shlex

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.index import Index
from monai_unlearn.phantom.mri_studies import write_mri_studies
from monai_unlearn.phantom.mri_volume import LOWEST, SLICE, volume_levels, write_volume


def test_voxels_lie_where_their_slices_did(tmp_path):
    slices = [np.full((4, 4), number, np.uint16) for number in range(3)]
    slices[0][3, 0] = 99  # the last row is the back, the first column the patient's right
    write_volume(tmp_path / "volume.nii.gz", slices)
    image = nibabel.load(tmp_path / "volume.nii.gz")
    voxels = np.asarray(image.dataobj)
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    (place,) = np.argwhere(voxels == 99)
    assert (image.affine @ [*place, 1])[:3] == pytest.approx([82.5, -82.5, LOWEST])
    assert image.header.get_zooms() == pytest.approx((55.0, 55.0, SLICE))
    assert image.header.get_xyzt_units()[0] == "mm"


def test_levels_span_the_head():
    levels = volume_levels()
    assert levels[0] == LOWEST
    assert levels[-1] == 84
    assert np.diff(levels) == pytest.approx(SLICE)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Volumes and masks, indexed by the command that the summary names."""
    out = tmp_path_factory.mktemp("mri") / "studies"
    summary = write_mri_studies(out, patients=8, seed=1, size=48, nifti=True)
    words = shlex.split(summary.next_command)
    found = CliRunner().invoke(app, words[1:])
    assert found.exit_code == 0, found.output
    return Index.open(out.with_name("studies_index")), summary


def test_the_index_measures_the_masks(index):
    frame = index[0].frame()
    assert len(frame) == index[1].images
    assert frame["brain_volume"].between(500, 2200).all()
    tumour = frame["diagnosis"] != "notumor"
    assert (frame.loc[tumour, "lesion_volume"] > 0.5).all()
    assert (frame.loc[~tumour, "lesion_volume"].fillna(0) == 0).all()


def test_a_small_brain_has_a_small_volume(index):
    volumes = index[0].frame().groupby("patient")["brain_volume"].first()
    assert volumes.idxmin() == "PHANTOM-000005"
    assert volumes.min() < 0.7 * volumes.median()


def test_the_table_says_what_nifti_cannot(index):
    frame = index[0].frame()
    assert set(frame["ManufacturerModelName"].dropna()) <= {"Achieva", "DISCOVERY MR750", "Skyra"}
    lacking = frame[frame["patient"] == "PHANTOM-000003"]
    assert lacking["ManufacturerModelName"].isna().sum() == 1
    assert frame["age"].between(20, 90).all()
