from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.index.measures.geometry import Plane
from monai_unlearn.index.measures.seg_frames import Frame, middle_x, slice_spacing

ROW, COLUMN = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])


def frame(z=None, *, gap=None, along=ROW, down=COLUMN, x=0.0):
    plane = None if z is None else Plane(origin=np.array([x, 0.0, z]), down=down, along=along)
    return Frame(plane=plane, pixel=1.0, segment=1, sources=frozenset(), source_frame="", gap=gap)


def spacing(*frames, images=3):
    found = slice_spacing(frames, images=images)
    return None if found is None else round(found, 6)


def test_stated_distance_is_used():
    assert spacing(frame(0, gap=2.5), frame(7, gap=2.5)) == 2.5


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([0, 3, 6], 3.0),
        ([6, 0, 3], 3.0),
        ([0, 0, 3, 3, 6], 3.0),  # two segments in a slice
        ([0, 3], None),  # two positions do not show whether a slice is missing
        ([0, 3, 9], None),
        ([0, 3, None], None),
    ],
)
def test_otherwise_positions_show_it_if_three_are_equidistant(positions, expected):
    assert spacing(*(frame(z) for z in positions)) == expected


def test_slices_that_differ_in_distance_or_direction_are_not_a_volume():
    tilted = {"down": np.array([0.0, 0.8, 0.6])}
    assert spacing(frame(0), frame(3), frame(6, **tilted)) is None
    assert spacing(frame(0, gap=1.0), frame(3, gap=2.0), frame(9, gap=1.0)) is None


def test_one_slice_of_one_image_is_not_a_volume():
    assert spacing(frame(0, gap=1.0), images=1) is None
    assert spacing(frame(0, gap=1.0), images=2) == 1.0


def test_middle_is_that_of_the_whole_span():
    assert middle_x([frame(0)], (4, 5)) == 2.0
    assert middle_x([frame(0), frame(3, x=4.0)], (4, 5)) == 4.0


def test_middle_is_unknown_for_sagittal_slices_and_without_positions():
    sagittal = frame(0, along=np.array([0.0, 1.0, 0.0]), down=np.array([0.0, 0.0, -1.0]))
    assert middle_x([sagittal], (4, 5)) is None
    assert middle_x([frame(0), frame()], (4, 5)) is None


def test_depth_is_along_the_normal():
    assert frame(5.0).depth == 5.0
    assert frame().depth is None
