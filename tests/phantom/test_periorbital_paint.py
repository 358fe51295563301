from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monai_unlearn.phantom.periorbital_appearance import draw_appearance
from monai_unlearn.phantom.periorbital_face import draw_face
from monai_unlearn.phantom.periorbital_labels import LABEL_VALUES, Frame, draw_labels
from monai_unlearn.phantom.periorbital_paint import paint, pixels_per_mm
from monai_unlearn.phantom.periorbital_statistics import Condition

FRAME = Frame(160, 400, 400 / 118, (0.5, 0.64), 0.0)


@pytest.fixture(scope="module")
def labels():
    return draw_labels(draw_face(np.random.default_rng(3), Condition.THYROID_EYE_DISEASE), FRAME)


@pytest.fixture(scope="module")
def appearance():
    return draw_appearance(np.random.default_rng(5), redness=0.2, swelling=0.2)


def colour(image, labels, *names):
    """The middle colour of structures."""
    return np.median(image[:, np.isin(labels, [LABEL_VALUES[name] for name in names])], axis=1)


def test_it_is_a_colour_image_of_reflectances(labels, appearance):
    image = paint(labels, appearance, np.random.default_rng(0))
    assert image.shape == (3, *labels.shape)
    assert image.dtype == np.float32
    assert -0.05 < image.min() < image.max() < 1.3


def test_structures_differ_as_they_do(labels, appearance):
    image = paint(labels, appearance, np.random.default_rng(0))
    iris, sclera = colour(image, labels, "r_iris", "l_iris"), colour(image, labels, "r_sclera", "l_sclera")
    brow, caruncle = colour(image, labels, "r_brow"), colour(image, labels, "l_caruncle")
    skin = np.median(image[:, labels == 0], axis=1)
    assert iris.mean() < sclera.mean() - 0.1
    assert brow.mean() < skin.mean() - 0.1
    assert skin[0] > skin[1] > skin[2]
    assert caruncle[0] - caruncle[2] > sclera[0] - sclera[2]


def test_redness_shows_in_the_sclera(labels, appearance):
    pale, red = (
        colour(
            paint(labels, replace(appearance, redness=redness), np.random.default_rng(0)),
            labels,
            "r_sclera",
            "l_sclera",
        )
        for redness in (0.0, 0.9)
    )
    assert red[0] / red[1] > pale[0] / pale[1] + 0.05


def test_the_same_stream_gives_the_same_image(labels, appearance):
    images = [paint(labels, appearance, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert (images[0] == images[1]).all()
    assert (images[0] != images[2]).any()


def test_the_scale_comes_from_the_irises(labels):
    assert pixels_per_mm(labels) == pytest.approx(FRAME.scale, rel=0.05)


@pytest.mark.parametrize("kept", [(), ("l_brow",), ("r_sclera", "r_iris"), ("r_sclera",), ("left_lid",)], ids=str)
def test_a_map_that_lacks_structures_can_be_painted(labels, appearance, kept):
    some = np.where(np.isin(labels, [LABEL_VALUES[name] for name in kept]), labels, 0).astype(np.uint8)
    assert np.isfinite(paint(some, appearance, np.random.default_rng(0))).all()


def test_structures_at_the_edge_can_be_painted(labels, appearance):
    rows, columns = np.nonzero(labels == LABEL_VALUES["r_iris"])
    cut = labels[rows.min() + 2 :, columns.min() + 5 :]
    assert np.isfinite(paint(cut, appearance, np.random.default_rng(0))).all()
