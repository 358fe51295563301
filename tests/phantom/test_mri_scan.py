from __future__ import annotations

import numpy as np
import pytest

from monai_unlearn.phantom.mri_head import Pose, draw_head
from monai_unlearn.phantom.mri_patients import Tumour
from monai_unlearn.phantom.mri_scan import scan
from monai_unlearn.phantom.mri_scanners import ACHIEVA, SCANNERS, SKYRA
from monai_unlearn.phantom.mri_slice import slice_at


def middle(tumour):
    head = draw_head(np.random.default_rng(0), tumour, brain=1.0)
    return slice_at(head, Pose(turn=0.0, shift=(0.0, 0.0)), level=float(head.middle[2]), size=96)


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.model)
def test_a_scanner_stores_12_bits_and_the_same_ones_again(scanner):
    image, added, _ = middle(Tumour.GLIOMA)
    taken = [scan(image, added, scanner, np.random.default_rng(2), shading=np.array([1.0, 0.0])) for _ in range(2)]
    assert np.array_equal(*taken)
    assert taken[0].dtype == np.uint16
    assert taken[0].max() <= 4095
    assert taken[0].max() > 0.5 * scanner.scale


def test_the_old_scanner_is_noisier_and_darker_on_the_far_side():
    image, added, _ = middle(Tumour.NONE)
    images = {
        scanner.model: scan(image, added, scanner, np.random.default_rng(2), shading=np.array([1.0, 0.0]))
        / scanner.scale
        for scanner in (ACHIEVA, SKYRA)
    }
    corner = {model: image[:8, :8].std() for model, image in images.items()}
    assert corner["Achieva"] > 2 * corner["Skyra"]
    sides = {model: image[40:56, 60:70].mean() / image[40:56, 26:36].mean() for model, image in images.items()}
    assert sides["Achieva"] < 0.9 < sides["Skyra"]
