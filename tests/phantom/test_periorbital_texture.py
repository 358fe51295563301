from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from monai_unlearn.phantom.periorbital_texture import blend, blurred, darken, moved, noise, sheared, width, window


@pytest.mark.parametrize("size", [0.3, 3.0, 20.0])
def test_noise_has_unit_deviation_and_grains_of_its_size(size):
    found = noise(np.random.default_rng(0), (200, 300), size)
    assert found.shape == (200, 300)
    assert found.std() == pytest.approx(1, abs=0.3)
    step = max(1, int(size))
    neighbours = np.corrcoef(found[:, :-1].ravel(), found[:, 1:].ravel())[0, 1]
    assert (neighbours > 0.5) == (step > 1)


def test_the_quick_blur_is_nearly_a_gaussian_filter():
    mask = np.zeros((120, 160), dtype=np.float32)
    mask[40:80, 50:110] = 1
    assert np.abs(blurred(mask, 16.0) - gaussian_filter(mask, 16.0, mode="nearest")).max() < 0.06


def test_a_window_has_a_margin_and_stays_within_the_image():
    mask = np.zeros((10, 12), dtype=bool)
    mask[4:6, 1:3] = True
    rows, columns = window(mask, 2)
    assert (rows, columns) == (slice(2, 8), slice(0, 5))
    assert width(mask) == 2
    assert width(np.zeros((3, 3), dtype=bool)) == 0


def test_moving_leaves_zeros_behind():
    image = np.arange(1, 5, dtype=np.float32)[:, None]
    assert moved(image, 1.0).ravel().tolist() == [0, 1, 2, 3]
    assert moved(image, -2.0).ravel().tolist() == [3, 4, 0, 0]
    # Less than a row still moves by one.
    assert moved(image, 0.2).ravel().tolist() == [0, 1, 2, 3]
    assert moved(image, -0.2).ravel().tolist() == [2, 3, 4, 0]


def test_shearing_keeps_every_column():
    image = np.random.default_rng(0).random((8, 20)).astype(np.float32)
    leaning = sheared(image, 1)
    assert np.array_equal(np.sort(leaning, axis=0), np.sort(image, axis=0))
    assert np.array_equal(leaning[:, :3], image[:, :3])
    assert np.array_equal(leaning[:, 10], np.roll(image[:, 10], -3))
    assert np.array_equal(sheared(image, -1)[:, 10], np.roll(image[:, 10], 3))


def test_blending_and_darkening_work_in_place():
    image = np.full((3, 1, 3), 0.5, dtype=np.float32)
    blend(image, (1.0, 0.5, 0.0), np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    assert image[:, 0].tolist() == [[0.5, 0.75, 1.0], [0.5, 0.5, 0.5], [0.5, 0.25, 0.0]]
    darken(image, np.array([[0.0, 0.5, 2.0]], dtype=np.float32))
    assert image[0, 0].tolist() == [0.5, 0.375, 0.0]
