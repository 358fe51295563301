from __future__ import annotations

import highdicom as hd
import numpy as np
import pytest
from measure_files import SAGITTAL, make_seg
from pydicom import dcmread
from pydicom.uid import RLELossless

from monai_unlearn.index.measures import dicom_seg
from monai_unlearn.index.measures.dicom_seg import read
from monai_unlearn.index.measures.reading import FaultyMeasuresError, Target

TILTED = (0.96, 0.28, 0.0, -0.28, 0.96, 0.0)
LABELS = {1: "Left Lung", 2: "Liver (whole)"}


@pytest.fixture
def values() -> np.ndarray:
    """Label map of four slices of six rows and eight columns."""
    made = np.random.default_rng(5).integers(0, 3, (4, 6, 8))
    made[3] = 0
    return made


@pytest.fixture
def read_seg(tmp_path):
    """Write a segmentation, change it if asked, and read it: its readings."""

    def run(slices, values, labels=LABELS, change=lambda _: None, **options):
        path = tmp_path / "seg.dcm"
        segmentation = make_seg(slices, values, labels, **options)
        change(segmentation)
        segmentation.save_as(path, enforce_file_format=True)
        return read(path)

    return run


def _by_name(reading) -> dict[str, float | None]:
    return {measure.name: measure.value for measure in reading.measures}


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), TILTED, (1, 0, 0, 0, 0.6, -0.8)])
def test_measures_agree_with_positions_voxel_by_voxel(kind, empty, orientation, values, make_slices, read_seg):
    slices = make_slices(orientation=orientation)
    (reading,) = read_seg(slices, values, kind=kind, omit_empty_frames=empty)
    assert reading.target == Target(images=frozenset(image.SOPInstanceUID for image in slices))
    found = _by_name(reading)
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    for number, name in {1: "left_lung", 2: "liver_whole"}.items():
        where = np.argwhere(values == number)
        # DICOM PS3.3 equation C.7.6.2.1-1.
        positions = np.array(
            [np.array(slices[k].ImagePositionPatient) + row * 0.5 * j + column * 2.0 * i for k, i, j in where]
        )
        assert found[f"{name}_volume"] == pytest.approx(len(where) * 2.0 * 0.5 * 3.0 / 1000)
        assert [found[f"{name}_centroid_{axis}"] for axis in "xyz"] == pytest.approx(positions.mean(axis=0))
        corners = [np.array(slices[0].ImagePositionPatient) + row * 0.5 * 7 * a + column * 2.0 * 5 * a for a in (0, 1)]
        offset = positions[:, 0] - (corners[0][0] + corners[1][0]) / 2
        expected = ((offset > 1e-9).sum() - (offset < -1e-9).sum()) / len(where)
        assert found[f"{name}_asymmetry"] == pytest.approx(expected)


def test_volume_agrees_with_highdicom(values, make_slices, tmp_path):
    path = tmp_path / "seg.dcm"
    make_seg(make_slices(orientation=TILTED), values, LABELS).save_as(path, enforce_file_format=True)
    volume = hd.seg.segread(path).get_volume(combine_segments=True)
    found = _by_name(read(path)[0])
    assert found["left_lung_volume"] == pytest.approx((volume.array == 1).sum() * volume.voxel_volume / 1000)
    centre = volume.map_indices_to_reference(np.argwhere(volume.array == 1)).mean(axis=0)
    assert [found[f"left_lung_centroid_{axis}"] for axis in "xyz"] == pytest.approx(centre)


def test_declared_segment_without_pixels_is_0(values, make_slices, read_seg):
    found = _by_name(read_seg(make_slices(), np.where(values == 1, 1, 0))[0])
    assert found["liver_whole_volume"] == 0.0
    assert found["liver_whole_centroid_x"] is None


def test_middle_of_sagittal_slices_is_unknown(values, make_slices, read_seg):
    found = _by_name(read_seg(make_slices(orientation=SAGITTAL), values)[0])
    assert found["left_lung_asymmetry"] is None
    assert found["left_lung_centroid_x"] is not None


def _without_gap(dataset) -> None:
    del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices


def test_spacing_is_taken_from_three_equidistant_slices(values, make_slices, read_seg):
    found = _by_name(read_seg(make_slices(), values, change=_without_gap)[0])
    assert found["left_lung_volume"] == pytest.approx((values == 1).sum() * 3.0 / 1000)


@pytest.mark.parametrize("kept", [[0, 1], [0, 1, 3]])
def test_slices_without_a_known_distance_are_measured_by_area(kept, make_slices, read_seg):
    values = np.zeros((4, 6, 8), dtype=int)
    for position in kept:
        values[position, :2, : position + 1] = 1
    slices = make_slices()
    readings = read_seg(slices, values, change=_without_gap)
    found = {reading.target.images: _by_name(reading) for reading in readings}
    for position, image in enumerate(slices):
        measures = found[frozenset([image.SOPInstanceUID])]
        assert "left_lung_volume" not in measures
        assert measures["left_lung_area"] == (2 * (position + 1) * 1.0 if position in kept else 0.0)
        assert measures["liver_whole_area"] == 0.0
        if position in kept:
            assert measures["left_lung_centroid_z"] == 30.0 + 3.0 * position


def test_single_slice_is_measured_by_area_although_highdicom_states_1_mm(make_slices, read_seg):
    gaps = []

    def note(dataset):
        gaps.append(dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices)

    slices = make_slices(1)
    (reading,) = read_seg(slices, np.ones((1, 6, 8)), {1: "iris"}, change=note)
    assert gaps == [1.0]
    assert _by_name(reading)["iris_area"] == 48.0
    assert reading.target == Target(images=frozenset([slices[0].SOPInstanceUID]))


def test_slice_of_a_series_is_part_of_a_volume(make_slices, read_seg):
    values = np.zeros((4, 6, 8))
    values[2, 0, 0] = 1
    found = _by_name(read_seg(make_slices(), values, {1: "lesion"})[0])
    assert found["lesion_volume"] == pytest.approx(3.0 / 1000)
    assert found["lesion_centroid_z"] == 36.0


def test_frames_without_a_position_have_sizes_only(values, make_slices, read_seg):
    def displace(dataset):
        del dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence

    found = _by_name(read_seg(make_slices(), values, change=displace)[0])
    assert found["left_lung_volume"] == pytest.approx((values == 1).sum() * 3.0 / 1000)
    assert found["left_lung_centroid_x"] is None
    assert found["left_lung_asymmetry"] is None


def test_series_is_the_target_if_no_image_is_named(values, make_slices, read_seg):
    def forget(dataset):
        del dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence
        for frame in dataset.PerFrameFunctionalGroupsSequence:
            del frame.DerivationImageSequence

    slices = make_slices()
    (reading,) = read_seg(slices, values, change=forget)
    assert reading.target == Target(series=frozenset([slices[0].SeriesInstanceUID]))


def _set(keyword: str, value: object):
    return lambda dataset: setattr(dataset, keyword, value)


def _no_size(dataset) -> None:
    dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = None


def _no_sources(dataset) -> None:
    _without_gap(dataset)
    del dataset.PerFrameFunctionalGroupsSequence[3:]
    dataset.NumberOfFrames = 3
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
        del frame.PlanePositionSequence


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_set("SegmentationType", "FRACTIONAL"), "fractional"),
        (_no_size, "no_spacing"),
        (_no_sources, "no_spacing"),
        (lambda dataset: setattr(dataset.SegmentSequence[1], "SegmentLabel", "left-lung"), "same_names"),
        (lambda dataset: setattr(dataset.SegmentSequence[1], "SegmentLabel", "?"), "same_names"),
        (lambda dataset: setattr(dataset.SegmentSequence[1], "SegmentNumber", 3), "unreadable"),
        (lambda dataset: dataset.PerFrameFunctionalGroupsSequence.pop(), "unreadable"),
        (_set("SOPInstanceUID", ""), "missing_sop_instance_uid"),
    ],
)
def test_segmentation_that_cannot_be_measured_is_a_fault(change, fault, values, make_slices, read_seg):
    with pytest.raises(FaultyMeasuresError, match=fault):
        read_seg(make_slices(), values, change=change)


@pytest.mark.parametrize("limit", ["MAX_VOXELS", "MAX_PLANE"])
def test_segmentation_larger_than_accepted_is_not_read(limit, values, make_slices, read_seg, monkeypatch):
    monkeypatch.setattr(dicom_seg, limit, 47)
    monkeypatch.setattr(dicom_seg, "_labelled", None)
    with pytest.raises(FaultyMeasuresError, match="too_large"):
        read_seg(make_slices(), values)


def test_cut_segmentation_is_a_fault(values, make_slices, tmp_path):
    path = tmp_path / "seg.dcm"
    make_seg(make_slices(), values, LABELS).save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(FaultyMeasuresError, match="truncated"):
        read(path)


def test_compressed_segmentation_is_read(values, make_slices, tmp_path):
    path = tmp_path / "seg.dcm"
    make_seg(make_slices(), values, LABELS, kind="LABELMAP").save_as(path, enforce_file_format=True)
    plain = read(path)
    dataset = dcmread(path)
    dataset.compress(RLELossless)
    dataset.save_as(path, enforce_file_format=True)
    assert read(path) == plain
