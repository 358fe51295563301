from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.phantom.mri_head import BRAIN_AXES, NODES, draw_head, draw_pose, levels
from monai_unlearn.phantom.mri_patients import Tumour


def head(tumour, *, seed=0, brain=1.0):
    return draw_head(np.random.default_rng(seed), tumour, brain=brain)


@pytest.mark.parametrize("tumour", Tumour)
def test_a_head_depends_on_its_random_stream_alone(tumour):
    first, again, other = (head(tumour, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.axes, again.axes)
    assert np.array_equal(first.uneven, again.uneven)
    assert not np.array_equal(first.uneven, other.uneven)


@pytest.mark.parametrize("tumour", Tumour)
@pytest.mark.parametrize("seed", range(20))
def test_a_tumour_lies_within_the_brain_and_only_a_healthy_head_has_none(tumour, seed):
    found = head(tumour, seed=seed)
    assert (np.square(found.middle / found.axes).sum()) < 1
    assert (found.radius > 0) == (tumour is not Tumour.NONE)


def test_gliomas_lie_on_both_sides_and_pituitary_tumours_in_the_midline():
    sides = {np.sign(head(Tumour.GLIOMA, seed=seed).middle[0]) for seed in range(20)}
    assert sides == {-1.0, 1.0}
    assert all(abs(head(Tumour.PITUITARY, seed=seed).middle[0]) < 5 for seed in range(20))


def test_the_brain_factor_scales_the_axes():
    small, usual = head(Tumour.NONE, brain=0.8), head(Tumour.NONE)
    assert np.allclose(small.axes, 0.8 * usual.axes)
    assert np.allclose(usual.axes, BRAIN_AXES, rtol=0.06)


def test_the_random_field_has_unit_deviation():
    field = head(Tumour.NONE).uneven
    assert field.shape == (NODES,) * 3
    assert field.std() == pytest.approx(1, abs=1e-5)


def test_poses_differ_a_little():
    poses = [draw_pose(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert poses[0] == poses[1] != poses[2]
    assert all(abs(pose.turn) < 0.3 and max(map(abs, pose.shift)) < 20 for pose in poses)


def test_levels_are_centred_on_the_tumour():
    found = head(Tumour.GLIOMA)
    assert list(levels(found, slices=1, spacing=5.0)) == [found.middle[2]]
    assert list(levels(found, slices=3, spacing=5.0)) == [found.middle[2] + step for step in (-5.0, 0.0, 5.0)]
