from __future__ import annotations

import numpy as np

from monai_unlearn.phantom.periorbital_appearance import draw_appearance


def appearances(count=60, **settings):
    return [draw_appearance(np.random.default_rng(seed), **settings) for seed in range(count)]


def test_skin_varies_from_face_to_face():
    skins = np.array([appearance.skin for appearance in appearances()])
    assert skins.min(axis=0)[0] < 0.6
    assert skins.max(axis=0)[0] > 0.85


def test_darker_skin_comes_with_darker_eyes():
    skins, irises = (
        np.array([getattr(appearance, name) for appearance in appearances(300)]) for name in ("skin", "iris")
    )
    assert np.corrcoef(skins[:, 2], irises[:, 2])[0, 1] > 0.3


def test_colours_are_reflectances_and_pupils_fit_the_iris():
    for appearance in appearances():
        assert all(
            0 < channel < 1 for colour in (appearance.skin, appearance.iris, appearance.hair) for channel in colour
        )
        assert 0.2 < appearance.pupil < 0.5


def test_redness_and_swelling_are_as_given():
    assert {(appearance.redness, appearance.swelling) for appearance in appearances(3, redness=0.9, swelling=0.4)} == {
        (0.9, 0.4)
    }
