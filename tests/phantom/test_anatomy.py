from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.phantom.anatomy import draw_eye
from monai_unlearn.phantom.patients import Diagnosis


def eyes(diagnosis, count=12):
    return [draw_eye(np.random.default_rng(seed), diagnosis) for seed in range(count)]


def test_only_glaucoma_has_a_large_cup():
    cups = {diagnosis: [eye.cup_ratio for eye in eyes(diagnosis)] for diagnosis in Diagnosis}
    assert min(cups[Diagnosis.GLAUCOMA]) > 0.6
    assert max(cups[Diagnosis.NORMAL] + cups[Diagnosis.DIABETIC_RETINOPATHY]) < 0.5


@pytest.mark.parametrize("diagnosis", [Diagnosis.NORMAL, Diagnosis.GLAUCOMA])
def test_eyes_without_retinopathy_have_no_lesions(diagnosis):
    for eye in eyes(diagnosis):
        assert not any(len(spots.centres) for spots in vars(eye.lesions).values())


def test_retinopathy_has_lesions_off_the_disc():
    for eye in eyes(Diagnosis.DIABETIC_RETINOPATHY):
        assert len(eye.lesions.exudates.centres) >= 10
        assert len(eye.lesions.haemorrhages.centres) >= 3
        for spots in (eye.lesions.microaneurysms, eye.lesions.cotton_wool):
            assert (np.hypot(*(spots.centres - eye.disc).T) > 0.2).all()


def test_the_disc_lies_on_the_nasal_side_of_the_macula():
    assert all(0.5 < eye.disc[0] - eye.macula[0] < 0.8 for eye in eyes(Diagnosis.NORMAL))
