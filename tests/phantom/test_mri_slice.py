from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.phantom.mri_head import Pose, draw_head, levels
from monai_unlearn.phantom.mri_patients import Tumour
from monai_unlearn.phantom.mri_slice import BRAIN, LESION, slice_at

STILL = Pose(turn=0.0, shift=(0.0, 0.0))
SIZE = 96


def head(tumour, *, seed=0, brain=1.0):
    return draw_head(np.random.default_rng(seed), tumour, brain=brain)


def middle(shown):
    return slice_at(shown, STILL, level=float(shown.middle[2]), size=SIZE)


@pytest.mark.parametrize("tumour", [tumour for tumour in Tumour if tumour is not Tumour.NONE])
@pytest.mark.parametrize("seed", range(5))
def test_a_tumour_is_in_every_slice_of_its_series(tumour, seed):
    shown = head(tumour, seed=seed)
    for level in levels(shown, slices=3, spacing=5.0):
        assert (slice_at(shown, STILL, level=level, size=SIZE)[2] == LESION).sum() > 10


@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_head_has_no_lesion_and_takes_no_contrast(seed):
    _, added, labels = middle(head(Tumour.NONE, seed=seed))
    assert set(np.unique(labels)) == {0, BRAIN}
    assert not added.any()


def test_a_glioma_has_a_necrotic_core_within_a_rim_that_enhances():
    shown = head(Tumour.GLIOMA)
    image, added, labels = middle(shown)
    lesion = labels == LESION
    assert added[lesion].max() > 0.5
    assert added[lesion].min() == 0
    assert image[lesion].min() < image[labels == BRAIN].mean()


def test_a_meningioma_lies_at_the_edge_of_the_brain_and_a_pituitary_tumour_in_its_midline():
    rows, columns = np.nonzero(middle(head(Tumour.MENINGIOMA))[2] == LESION)
    outline = np.hypot(rows.mean() - SIZE / 2, columns.mean() - SIZE / 2) * 220 / SIZE
    assert outline > 45
    rows, columns = np.nonzero(middle(head(Tumour.PITUITARY))[2] == LESION)
    assert abs(columns.mean() - SIZE / 2) * 220 / SIZE < 4
    assert rows.mean() < SIZE / 2


def test_a_pose_turns_and_shifts_the_image_not_the_head():
    shown = head(Tumour.MENINGIOMA)
    moved = Pose(turn=0.0, shift=(220 / SIZE * 3, 0.0))
    still = middle(shown)[2]
    assert np.array_equal(np.roll(still, 3, axis=1), slice_at(shown, moved, level=float(shown.middle[2]), size=SIZE)[2])


def test_a_small_brain_is_small():
    areas = [(middle(head(Tumour.NONE, brain=brain))[2] == BRAIN).sum() for brain in (0.8, 1.0)]
    assert areas[0] < 0.75 * areas[1]
