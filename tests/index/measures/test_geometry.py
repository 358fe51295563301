from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.index.measures.geometry import Extent, LabelSums, Plane, measures_of
from monai_unlearn.index.measures.reading import Measure

PLANE = Plane(origin=np.array([-3.0, 10.0, 5.0]), down=np.array([0.0, 2.0, 0.0]), along=np.array([1.5, 0.0, 0.0]))


def test_middle_of_a_plane_is_the_centre_of_its_voxels():
    # Five voxels along x, at −3, −1.5, 0, 1.5, 3.
    assert PLANE.middle((4, 5)) == 0.0


def test_planes_are_summed():
    sums = LabelSums(0.0)
    values = np.array([[7, 7, 0, 0, 0], [0, 0, 0, 7, 2]])
    sums.add(values, PLANE)
    higher = Plane(origin=PLANE.origin + np.array([0, 0, 4]), down=PLANE.down, along=PLANE.along)
    sums.add(np.where(values == 7, 7, 0), higher)
    totals = sums.totals()
    assert list(totals) == [2, 7]
    assert totals[7].voxels == 6
    # x of −3, −1.5, 1.5; y of 10, 10, 12; z of 5 and 9.
    assert totals[7].centroid == pytest.approx((-1.0, 32 / 3, 7.0))
    assert totals[7].asymmetry == pytest.approx((2 - 4) / 6)
    assert totals[2].asymmetry == 1.0  # all of it on the patient's left, where x grows
    assert len(sums) == 2


def test_voxel_on_the_middle_counts_for_both_sides():
    sums = LabelSums(1e-9)
    sums.add(np.array([[1, 0, 1, 0, 0]]), PLANE)
    assert sums.totals()[1].asymmetry == -0.5


def test_map_without_a_position_has_sizes_only():
    sums = LabelSums(None)
    sums.add(np.array([[1, 1]]), None)
    total = sums.totals()[1]
    assert (total.voxels, total.centroid, total.asymmetry) == (2, None, None)


def test_label_with_some_voxels_without_a_position_has_no_centroid():
    sums = LabelSums(0.0)
    sums.add(np.array([[1]]), PLANE)
    sums.add(np.array([[1]]), None)
    assert (sums.totals()[1].voxels, sums.totals()[1].centroid, sums.totals()[1].asymmetry) == (2, None, None)


def test_empty_map_has_no_labels():
    sums = LabelSums(0.0)
    sums.add(np.zeros((3, 3), dtype=np.int64), PLANE)
    assert sums.totals() == {}


def test_measures_have_the_name_of_their_label_and_units():
    sums = LabelSums(0.0)
    sums.add(np.array([[0, 0, 0, 3, 3]]), PLANE)
    assert measures_of("iris", sums.totals()[3], Extent.volume(500.0)) == (
        Measure("iris_volume", 1.0, "ml"),
        Measure("iris_centroid_x", 2.25, "mm"),
        Measure("iris_centroid_y", 10.0, "mm"),
        Measure("iris_centroid_z", 5.0, "mm"),
        Measure("iris_asymmetry", 1.0, "1"),
    )
    absent = measures_of("iris", None, Extent.area(3.0))
    assert absent[0] == Measure("iris_area", 0.0, "mm2")
    assert [measure.value for measure in absent[1:]] == [None] * 4
