from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import median_filter

from monai_unlearn.phantom.anatomy import Spots, draw_eye
from monai_unlearn.phantom.devices import DEVICES
from monai_unlearn.phantom.fundus import paint
from monai_unlearn.phantom.patients import Diagnosis, draw_patient
from monai_unlearn.phantom.studies import render
from monai_unlearn.phantom.view import View

PLAIN = View(size=96, scale=48.0, gaze=(0.0, 0.0), tilt=0.0, mirrored=False)
NO_SPOTS = Spots(np.empty((0, 2)), np.empty((0, 2)), np.empty(0))


def pale_area(image):
    """Count the pixels that are as bright in blue as only the cup of a disc is."""
    ground = image[64, 50:70, 0].mean()
    return int((image[..., 2] > 0.45 * ground + 60).sum())


def bright_spots(image):
    """Count the pixels away from the disc that stand out in green from their surroundings."""
    temporal = image[:, :76, 1]
    return int((temporal - median_filter(temporal, 9) > 25).sum())


@pytest.fixture(scope="module")
def images():
    """Right eyes at 128 pixels, by device and diagnosis."""
    from monai_unlearn.phantom.ophthalmic import Photograph

    drawn = {(device.model, diagnosis): [] for device in DEVICES for diagnosis in Diagnosis}
    for number in range(1, 31):
        patient = draw_patient(0, number)
        for device in DEVICES:
            visit = replace(patient.visits[0], device=device)
            image = render(Photograph(0, patient, visit, "R"), 128).astype(float)
            drawn[device.model, patient.diagnoses["R"]].append(image)
    return drawn


@pytest.mark.parametrize("device", [device.model for device in DEVICES])
def test_the_cup_of_glaucoma_is_larger(images, device):
    area = {diagnosis: [pale_area(p) for p in images[device, diagnosis]] for diagnosis in Diagnosis}
    others = area[Diagnosis.NORMAL] + area[Diagnosis.DIABETIC_RETINOPATHY]
    assert np.median(area[Diagnosis.GLAUCOMA]) > 4 * max(np.median(others), 1)
    assert np.percentile(area[Diagnosis.GLAUCOMA], 20) > np.percentile(others, 90)


@pytest.mark.parametrize("device", [device.model for device in DEVICES])
def test_retinopathy_shows_exudates(images, device):
    spots = {diagnosis: [bright_spots(p) for p in images[device, diagnosis]] for diagnosis in Diagnosis}
    others = spots[Diagnosis.NORMAL] + spots[Diagnosis.GLAUCOMA]
    assert min(spots[Diagnosis.DIABETIC_RETINOPATHY]) > max(others)


def test_haemorrhages_darken_where_they_lie():
    eye = draw_eye(np.random.default_rng(1), Diagnosis.DIABETIC_RETINOPATHY)
    lesions = eye.lesions
    bare = replace(eye, lesions=replace(lesions, haemorrhages=NO_SPOTS))
    change = paint(eye, PLAIN) - paint(bare, PLAIN)
    assert change.max() < 1e-3
    assert change.min() < -0.2


def test_a_left_eye_is_painted_as_the_mirror_image_of_a_right_one():
    eye = draw_eye(np.random.default_rng(2), Diagnosis.NORMAL)
    left = paint(eye, replace(PLAIN, mirrored=True))
    # Lines drawn from the other side end on other pixels, by a rounding.
    assert np.abs(paint(eye, PLAIN) - left[:, :, ::-1]).mean() < 0.01


def test_the_fovea_is_darker_and_the_disc_brighter_than_the_retina():
    image = paint(draw_eye(np.random.default_rng(3), Diagnosis.NORMAL), PLAIN)
    retina, fovea = np.median(image[1]), image[1, 44:52, 44:52].mean()
    # Vessels cover a part of the disc.
    disc = np.percentile(image[1, 40:52, 73:86], 75)
    assert fovea < 0.8 * retina
    assert disc > 1.2 * retina


def test_a_larger_image_shows_the_same_retina():
    eye = draw_eye(np.random.default_rng(4), Diagnosis.GLAUCOMA)
    small = paint(eye, PLAIN)
    large = paint(eye, replace(PLAIN, size=384, scale=192.0))
    averaged = large.reshape(3, 96, 4, 96, 4).mean(axis=(2, 4))
    assert np.abs(averaged - small).mean() < 0.02
