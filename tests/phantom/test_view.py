from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.phantom.view import View


def view(**changes) -> View:
    return View(**{"size": 40, "scale": 15.0, "gaze": (0.2, -0.1), "tilt": 0.1, "mirrored": False} | changes)


def test_the_gaze_lands_in_the_middle():
    assert view().to_pixels(np.array([[0.2, -0.1]])) == pytest.approx(np.array([[20.0, 20.0]]))


@pytest.mark.parametrize("mirrored", [False, True])
def test_grid_is_the_inverse_of_to_pixels(mirrored):
    any_view = view(mirrored=mirrored)
    x, y = any_view.grid()
    pixels = any_view.to_pixels(np.stack([x.ravel(), y.ravel()], axis=1).astype(float))
    down, across = np.mgrid[:40, :40] + 0.5
    assert pixels == pytest.approx(np.stack([across.ravel(), down.ravel()], axis=1), abs=1e-4)


def test_a_left_eye_is_the_mirror_image():
    point = np.array([[0.7, 0.3]])
    right, left = (view(tilt=0.0, mirrored=mirrored).to_pixels(point)[0] for mirrored in (False, True))
    assert left == pytest.approx([40 - right[0], right[1]])
