from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.phantom.periorbital_camera import CAMERAS, Shot, draw_shot, frame_of, photograph

PLAIN = Shot(middle=(0.5, 0.64), roll=0.0, zoom=1.0, exposure=1.0, light=0.0)
# Skin on the left, an edge, a bright surface on the right.
FACE = np.repeat(np.array([0.7, 0.5, 0.4], np.float32)[:, None, None], 40, axis=1) * np.ones((1, 1, 100), np.float32)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.model)
def test_an_image_is_eight_bit_rgb(camera):
    image = photograph(FACE, camera, PLAIN, np.random.default_rng(0))
    assert image.shape == (40, 100, 3)
    assert image.dtype == np.uint8
    red, green, blue = image.reshape(-1, 3).mean(axis=0)
    assert red > green > blue > 20


def test_cameras_see_differently():
    means = [photograph(FACE, camera, PLAIN, np.random.default_rng(0)).mean(axis=(0, 1)) for camera in CAMERAS]
    noise = [photograph(FACE, camera, PLAIN, np.random.default_rng(0))[..., 1].std() for camera in CAMERAS]
    for one in range(len(CAMERAS)):
        for other in range(one):
            assert np.abs(means[one] - means[other]).max() > 3
    assert max(noise) > 1.5 * min(noise)
    assert len({camera.width for camera in CAMERAS}) == len({camera.model for camera in CAMERAS}) == 3


def test_exposure_and_light_change_the_image():
    def seen(**changes):
        shot = Shot(**{**vars(PLAIN), **changes})
        return photograph(FACE, CAMERAS[0], shot, np.random.default_rng(0)).astype(int)

    assert seen(exposure=0.8).mean() < seen().mean() - 10
    lit = seen(light=0.1).mean(axis=(0, 2))
    assert lit[-20:].mean() > lit[:20].mean() + 10


def test_the_frame_shows_as_much_of_the_face_as_the_camera_does():
    frame = frame_of(CAMERAS[0], PLAIN, size=256)
    assert (frame.rows, frame.columns) == (102, 256)
    assert frame.scale == pytest.approx(256 / CAMERAS[0].width)
    assert frame.enlarged(2).scale == 2 * frame.scale


def test_shots_differ():
    shots = [draw_shot(np.random.default_rng(seed)) for seed in range(100)]
    assert np.std(np.degrees([shot.roll for shot in shots])) == pytest.approx(1.75, abs=0.5)
    assert all(0.95 <= shot.zoom <= 1.06 for shot in shots)
