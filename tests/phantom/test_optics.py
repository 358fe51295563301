from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monai_unlearn.phantom.optics import CIRRUS_OPTICS, SPECTRALIS_OPTICS, Shot, draw_shot, photograph, view_of

PLAIN = Shot(gaze=(0.0, 0.0), tilt=0.0, exposure=1.0, defocus=1.0, balance=(1.0, 1.0, 1.0), light=(0.0, 0.0))
OPTICS = [CIRRUS_OPTICS, SPECTRALIS_OPTICS]


def take(retina, optics, shot=PLAIN, seed=0):
    return photograph(np.asarray(retina, dtype=np.float32), optics, shot, np.random.default_rng(seed))


def grey(size=128, level=0.5):
    return np.full((3, size, size), level, dtype=np.float32)


def test_the_field_of_the_spectralis_is_a_full_circle_and_the_other_is_cut_off():
    spectralis, cirrus = (take(grey(), optics)[..., 0] > 20 for optics in (SPECTRALIS_OPTICS, CIRRUS_OPTICS))
    assert spectralis[5, 64]
    assert not cirrus[10, 64]
    assert cirrus[64, 1]
    assert not spectralis[64, 1]
    assert spectralis.mean() == pytest.approx(np.pi / 4 * 0.94**2, abs=0.01)


def test_outside_the_field_it_is_black():
    assert all((take(grey(), optics)[:3, :3] == 0).all() for optics in OPTICS)


def test_the_cirrus_is_less_sharp_and_noisier():
    edge = grey()
    edge[:, :, 64:] = 0.1
    steepest = [np.abs(np.diff(take(edge, replace(o, noise=0.0))[64, 50:78, 1].astype(int))).max() for o in OPTICS]
    assert steepest[0] < 0.8 * steepest[1]
    # Differences between neighbours leave the vignetting out.
    spread = [np.diff(take(grey(), o)[50:78, 50:78, 0].astype(float), axis=1).std() for o in OPTICS]
    assert spread[0] > 1.3 * spread[1]


def test_the_cirrus_mutes_the_red_of_a_retina():
    retina = grey() * np.array([1.7, 0.8, 0.35])[:, None, None]
    colours = [take(retina, optics)[60:68, 60:68].mean(axis=(0, 1)) for optics in OPTICS]
    ratios = [red / blue for red, _, blue in colours]
    assert ratios[0] < 0.8 * ratios[1]


def test_the_edge_is_darker_than_the_middle():
    for optics in OPTICS:
        image = take(grey(), optics).astype(float)
        assert image[60:68, 10:14].mean() < 0.9 * image[60:68, 60:68].mean()


def test_exposure_and_balance_change_the_light():
    bright = take(grey(), SPECTRALIS_OPTICS, replace(PLAIN, exposure=1.1))[64, 64].astype(int)
    plain = take(grey(), SPECTRALIS_OPTICS)[64, 64].astype(int)
    red = take(grey(), SPECTRALIS_OPTICS, replace(PLAIN, balance=(1.2, 1.0, 1.0)))[64, 64].astype(int)
    assert (bright > plain).all()
    assert red[0] > plain[0]
    assert (red[1:] == plain[1:]).all()


def test_the_noise_comes_from_the_generator():
    assert (take(grey(), CIRRUS_OPTICS, seed=1) == take(grey(), CIRRUS_OPTICS, seed=1)).all()
    assert (take(grey(), CIRRUS_OPTICS, seed=1) != take(grey(), CIRRUS_OPTICS, seed=2)).any()


def test_a_wider_field_shows_the_same_retina_smaller():
    scales = [view_of(optics, PLAIN, size=100, mirrored=False).scale for optics in OPTICS]
    assert scales == pytest.approx([50 * 45 / 55, 47.0])


def test_shots_differ_little():
    shots = [draw_shot(np.random.default_rng(seed)) for seed in range(200)]
    assert np.std([shot.tilt for shot in shots]) == pytest.approx(np.radians(4.0), rel=0.2)
    assert all(0.88 <= shot.exposure <= 1.10 for shot in shots)
    assert len({shot.gaze for shot in shots}) == 200
