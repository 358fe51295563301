from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from measure_files import make_mask
from nibabel.affines import apply_affine
from nibabel.imagestats import mask_volume
from scipy.ndimage import center_of_mass

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures import nifti_mask
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.index.measures.nifti_mask import read, settle
from monai_unlearn.index.measures.reading import FaultyMeasuresError, MeasureFault
from monai_unlearn.index.readers.row import FaultyFileError

SHAPE = (7, 9, 6)
ANISOTROPIC = np.array([[0.5, 0, 0, -10], [0, 2, 0, 20], [0, 0, 3, -5], [0, 0, 0, 1]])
FLIPPED = np.array([[-0.5, 0, 0, 12], [0, -2, 0, 20], [0, 0, 3, -5], [0, 0, 0, 1]])
SWAPPED = np.array([[0, 0, 2.5, -10], [-0.7, 0, 0, 20], [0, 1.3, 0, -5], [0, 0, 0, 1]])


def _rotated() -> np.ndarray:
    angle = np.deg2rad(25)
    about_z = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = about_x @ about_z @ np.diag([0.8, 1.1, 2.0])
    affine[:3, 3] = [-4, 6, 8]
    return affine


@pytest.fixture
def values() -> np.ndarray:
    made = np.random.default_rng(3).integers(0, 3, SHAPE)
    made[made == 2] = 5
    return made.astype(np.uint8)


@pytest.fixture
def measure(tmp_path):
    """Write a mask, read it, and return its measures by name."""

    def run(values, affine=None, name="a.nii.gz", **options):
        (readings,) = settle([read(make_mask(tmp_path / name, values, affine, **options))], MaskLabels())
        (reading,) = readings
        assert reading.target is None
        return {measure.name: measure.value for measure in reading.measures}

    return run


@pytest.mark.parametrize("affine", [np.eye(4), ANISOTROPIC, FLIPPED, SWAPPED, _rotated()])
@pytest.mark.parametrize("label", [1, 5])
def test_measures_agree_with_nibabel_and_scipy(affine, label, values, measure):
    found = measure(values, affine)
    only = (values == label).astype(np.uint8)
    assert found[f"label_{label}_volume"] == pytest.approx(mask_volume(nib.Nifti1Image(only, affine)) / 1000)
    # NIfTI's x grows to the right and its y to the front; DICOM's to the left and to the back.
    right, front, up = apply_affine(affine, center_of_mass(only))
    centroid = [found[f"label_{label}_centroid_{axis}"] for axis in "xyz"]
    assert centroid == pytest.approx([-right, -front, up], abs=1e-5)  # the file stores its affine in single precision
    # Voxel by voxel: the side of the centre of the whole map.
    x = -apply_affine(affine, np.argwhere(only))[:, 0]
    middle = -apply_affine(affine, (np.array(SHAPE) - 1) / 2)[0]
    left, right = (x > middle + 1e-9).sum(), (x < middle - 1e-9).sum()
    assert found[f"label_{label}_asymmetry"] == pytest.approx((left - right) / len(x))


def test_label_on_the_patients_left_has_positive_asymmetry(measure):
    left = np.zeros((5, 2, 2), np.uint8)
    left[0] = 1  # with NIfTI's identity, x grows to the right: the first is the leftmost
    assert measure(left)["label_1_asymmetry"] == 1.0
    assert measure(left[::-1].copy())["label_1_asymmetry"] == -1.0
    assert measure(left, np.diag([-1.0, 1, 1, 1]))["label_1_asymmetry"] == -1.0
    assert measure(np.ones((5, 2, 2), np.uint8))["label_1_asymmetry"] == 0.0


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 1), (4, 3, 1, 1)])
def test_plane_is_measured_by_area(shape, measure):
    found = measure(np.ones(shape, np.uint8), ANISOTROPIC)
    assert found["label_1_area"] == pytest.approx(12 * 0.5 * 2)
    assert "label_1_volume" not in found


@pytest.mark.parametrize(("unit", "times"), [("mm", 1), ("meter", 1e9), ("micron", 1e-9), ("unknown", 1)])
def test_unit_of_the_file_is_converted(unit, times, measure):
    found = measure(np.ones((2, 2, 2), np.uint8), unit=unit)
    assert found["label_1_volume"] == pytest.approx(8 / 1000 * times)
    assert found["label_1_centroid_z"] == pytest.approx(0.5 * np.cbrt(times))


def test_mask_without_a_position_has_volumes_only(tmp_path):
    image = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), None)
    image.header.set_zooms((2, 2, 2))
    nib.save(image, tmp_path / "a.nii")
    ((reading,),) = settle([read(tmp_path / "a.nii")], MaskLabels())
    assert reading.measures[0].value == pytest.approx(8 * 8 / 1000)
    assert [measure.value for measure in reading.measures[1:]] == [None] * 4


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.float32, np.float64, ">i4"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_stored_type_does_not_matter(dtype, name, values, measure):
    assert measure(values.astype(dtype), name=name) == measure(values, name="b.nii")


def test_scaled_values_are_labels_if_they_are_whole_numbers(tmp_path, values):
    image = nib.Nifti1Image(values, np.eye(4))
    image.header.set_slope_inter(2.0, 0.0)
    nib.save(image, tmp_path / "a.nii")
    # nibabel stores what it is given, and scales what it reads.
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[112:116] = np.float32(2.0).tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    expected = set(np.unique(nib.load(tmp_path / "a.nii").get_fdata()).astype(int)) - {0}
    assert set(read(tmp_path / "a.nii").totals) == expected


def test_label_that_a_mask_lacks_has_size_0_and_no_position(tmp_path):
    first = np.zeros((3, 3, 3), np.uint8)
    first[0, 0, 0] = 4
    masks = [read(make_mask(tmp_path / "a.nii", first)), read(make_mask(tmp_path / "b.nii", first * 0 + 9))]
    labels = MaskLabels({4: "liver", 6: "spleen"})
    (one,), (other,) = settle(masks, labels)
    found = {measure.name: measure.value for measure in other.measures}
    assert found["liver_volume"] == 0.0
    assert found["spleen_volume"] == 0.0
    assert found["label_9_volume"] == pytest.approx(27 / 1000)
    assert [found[f"liver_{name}"] for name in ("centroid_x", "centroid_y", "centroid_z", "asymmetry")] == [None] * 4
    assert [measure.name for measure in one.measures] == [measure.name for measure in other.measures]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.full((2, 2, 2), 0.5, np.float32), MeasureFault.NOT_A_LABEL_MAP),
        (np.full((2, 2, 2), np.nan, np.float32), MeasureFault.NOT_A_LABEL_MAP),
        (np.full((2, 2, 2), np.inf, np.float32), MeasureFault.NOT_A_LABEL_MAP),
        (np.full((2, 2, 2), -1, np.int16), MeasureFault.NOT_A_LABEL_MAP),
        (np.full((2, 2, 2), 2**31, np.uint32), MeasureFault.NOT_A_LABEL_MAP),
        (np.ones((2, 2, 2), np.complex64), MeasureFault.NOT_A_LABEL_MAP),
        (np.ones((2, 2, 2, 2), np.uint8), MeasureFault.NOT_A_LABEL_MAP),
        (np.arange(8 * 8 * 16, dtype=np.int16).reshape(8, 8, 16), MeasureFault.NOT_A_LABEL_MAP),
    ],
)
def test_map_of_other_values_is_a_fault(values, fault, tmp_path):
    with pytest.raises(FaultyMeasuresError, match=fault.code):
        read(make_mask(tmp_path / "a.nii", values))


def test_voxels_without_a_size_are_a_fault(tmp_path, values):
    path = make_mask(tmp_path / "a.nii", values)
    for row in ([0.0] * 4, [np.inf] * 4):
        header = nib.Nifti1Header(path.read_bytes()[:348])
        header["srow_y"] = row
        path.write_bytes(header.binaryblock + path.read_bytes()[348:])
        with pytest.raises(FaultyMeasuresError, match="no_spacing"):
            read(path)


def test_mask_larger_than_accepted_is_not_read(tmp_path, values, monkeypatch):
    path = make_mask(tmp_path / "a.nii.gz", values)
    for limit in ("MAX_VOXELS", "MAX_PLANE"):
        with monkeypatch.context() as patched:
            patched.setattr(nifti_mask, limit, 62)
            patched.setattr(nifti_mask, "_planes", None)
            with pytest.raises(FaultyMeasuresError, match="too_large"):
                read(path)


def test_cut_mask_is_a_fault(tmp_path, values):
    path = make_mask(tmp_path / "a.nii.gz", values)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FaultyFileError, match=Fault.TRUNCATED.code):
        read(path)


def test_file_with_a_false_trailer_is_a_fault(tmp_path):
    path = make_mask(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 200, (64, 64, 400), np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + content[-4:])
    with pytest.raises(FaultyMeasuresError, match=Fault.TRUNCATED.code):
        read(path)
