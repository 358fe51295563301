from __future__ import annotations

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image

from monai_unlearn.data.slices import LoadMRd, list_scans
from monai_unlearn.errors import ConfigError, DataError

# In a volume ordered to the right, front and head, voxel (x, y, z) is 100 x + 10 y + z.
VOXELS = np.add.outer(np.add.outer(100.0 * np.arange(3), 10.0 * np.arange(4)), np.arange(5.0)).astype(np.float32)


@pytest.fixture
def volume(tmp_path):
    def write(voxels=VOXELS, affine=None, name="scan.nii.gz"):
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine), tmp_path / name)
        return tmp_path / name

    return write


def read(path, **options):
    return LoadMRd("image", **options)({"image": path})["image"]


def test_an_axial_slice_has_anterior_at_the_top_and_the_right_side_on_the_left(volume):
    found = read(volume(), view="axial", position=1.0)
    assert found.shape == (1, 4, 3)
    assert found[0, 0].tolist() == [234, 134, 34]  # the front row, from right to left
    assert found[0, -1].tolist() == [204, 104, 4]


def test_a_coronal_slice_has_the_head_at_the_top_and_starts_at_the_front(volume):
    found = read(volume(), view="coronal", position=0.0)
    assert found.shape == (1, 5, 3)
    assert found[0, 0].tolist() == [234, 134, 34]
    assert found[0, -1].tolist() == [230, 130, 30]


def test_a_sagittal_slice_has_the_head_at_the_top_and_starts_at_the_right(volume):
    found = read(volume(), view="sagittal", position=0.0)
    assert found.shape == (1, 5, 4)
    assert found[0, 0].tolist() == [234, 224, 214, 204]


@pytest.mark.parametrize(
    "affine",
    [np.diag([-1.0, 1, 1, 1]), np.array([[0, 0, 1.0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])],
    ids=["left", "turned"],
)
def test_the_slice_does_not_depend_on_the_order_of_stored_voxels(volume, affine):
    plain = nibabel.Nifti1Image(VOXELS, np.eye(4))
    stored = plain.as_reoriented(
        nibabel.orientations.ornt_transform(nibabel.io_orientation(np.eye(4)), nibabel.io_orientation(affine))
    )
    path = volume(np.asarray(stored.dataobj), stored.affine, name="stored.nii")
    assert torch.equal(read(path), read(volume()))


def test_voxels_become_isotropic(volume):
    path = volume(affine=np.diag([1.0, 1.0, 2.0, 1.0]))
    assert read(path, view="axial").shape == (1, 4, 3)
    assert read(path, view="coronal").shape == (1, 10, 3)
    assert read(path, view="volume").shape == (1, 10, 4, 3)


def test_a_volume_runs_from_foot_to_head(volume):
    found = read(volume(VOXELS[..., None]), view="volume")
    assert found[0, :, 0, 0].tolist() == [230, 231, 232, 233, 234]


def test_nan_is_background(volume):
    voxels = VOXELS.copy()
    voxels[0, 0, 2] = np.nan
    assert read(volume(voxels), position=0.5)[0, -1, -1] == 0


def test_what_an_image_file_leaves_open_is_set(tmp_path):
    Image.fromarray(np.full((2, 3), 25, np.float32)).save(tmp_path / "slice.tif")
    with pytest.raises(DataError, match="`value_range` is set"):
        read(tmp_path / "slice.tif")
    assert read(tmp_path / "slice.tif", value_range=[0, 50], frame=0, background=0).unique().tolist() == [0.5]


def test_an_image_file_is_read_as_grey(tmp_path):
    Image.fromarray(np.full((2, 3, 3), 255, np.uint8)).save(tmp_path / "slice.png")
    found = read(tmp_path / "slice.png")
    assert found.shape == (1, 2, 3)
    assert found.min() == pytest.approx(1.0)


def test_an_image_file_is_no_volume(tmp_path):
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(tmp_path / "slice.png")
    with pytest.raises(DataError, match="expected a NIfTI volume for the view 'volume', got one slice"):
        read(tmp_path / "slice.png", view="volume")


def test_a_time_series_is_refused(volume):
    with pytest.raises(DataError, match=r"expected one 3-D volume with voxel sizes, got .* \(3, 4, 5, 2\)"):
        read(volume(np.stack([VOXELS, VOXELS], axis=-1)))


def test_a_truncated_file_is_named(volume):
    path = volume(name="cut.nii")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"cut\.nii: the volume cannot be decoded"):
        read(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"view": "axal"}, "Did you mean 'axial'"), ({"position": 1.5}, "a share of the volume from 0 to 1, got 1.5")],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        LoadMRd("image", **options)


def test_scans_of_all_formats_are_listed(volume, tmp_path):
    volume()
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    assert list_scans(tmp_path) == [str(tmp_path / "a.png"), str(tmp_path / "scan.nii.gz")]
    assert list_scans(tmp_path, pattern="*.gz") == [str(tmp_path / "scan.nii.gz")]


def test_a_folder_without_scans_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="holds no image"):
        list_scans(tmp_path)
    with pytest.raises(ConfigError, match="expected a folder of images"):
        list_scans(None)


def test_real_slices_of_several_scanners_are_read(real_data):
    files = sorted(path for path in (real_data / "dicom_mr").rglob("*") if path.is_file())[::6]
    found = [read(path) for path in files if path.read_bytes()[128:132] == b"DICM"]
    assert len(found) >= 10
    for image in found:
        assert image.ndim == 3
        assert 0 <= image.min() < image.max() <= 1
