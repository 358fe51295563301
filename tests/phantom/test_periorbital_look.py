from __future__ import annotations

import numpy as np

from monai_unlearn.phantom.periorbital_look import draw_look


def looks(count=60, **settings):
    return [draw_look(np.random.default_rng(seed), **settings) for seed in range(count)]


def test_skin_varies_from_face_to_face():
    skins = np.array([look.skin for look in looks()])
    assert skins.min(axis=0)[0] < 0.6
    assert skins.max(axis=0)[0] > 0.85


def test_darker_skin_comes_with_darker_eyes():
    skins, irises = (np.array([getattr(look, name) for look in looks(300)]) for name in ("skin", "iris"))
    assert np.corrcoef(skins[:, 2], irises[:, 2])[0, 1] > 0.3


def test_colours_are_reflectances_and_pupils_fit_the_iris():
    for look in looks():
        assert all(0 < channel < 1 for colour in (look.skin, look.iris, look.hair) for channel in colour)
        assert 0.2 < look.pupil < 0.5


def test_redness_and_swelling_are_as_given():
    assert {(look.redness, look.swelling) for look in looks(3, redness=0.9, swelling=0.4)} == {(0.9, 0.4)}
