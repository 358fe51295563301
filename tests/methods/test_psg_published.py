from __future__ import annotations

import dataclasses

import numpy as np
import psg_by_hand as by_hand
import pytest
import torch
from method_bench import context_of

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, PixelSpace, PublishedPSG, info_of

# The channels differ, so that a gradient in pixels is no multiple of one in normalised values.
SPACE = PixelSpace(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
SEED = 4
COUNT = 16


def step_by_hand(perceptron, pixels, classes, *, proximity_weight, noise):
    """One step of the published code from its equation, float64: λ and γ beside the gradient in normalised values."""
    inputs = (pixels - perceptron.mean) / perceptron.std
    gradient = perceptron.input_gradient(inputs, classes) / len(pixels)
    moved = np.clip(pixels + 0.1 * np.sign(gradient + proximity_weight * (inputs - pixels) + noise), 0, 1)
    return np.round(moved * 255) / 255


def searched(perceptron, pixels, classes, **options):
    """Return the soft targets, the pixels that they were predicted on, and z."""
    seen = []
    method = PublishedPSG(labels="soft", **options)
    method.prepare(dataclasses.replace(context_of(perceptron.module(), [], seed=SEED), pixel_space=SPACE))
    method._frozen.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].detach()))
    found = method.search(SPACE.to_inputs(pixels), classes)
    z = method.noise.draw(pixels.shape, torch.Generator().manual_seed(SEED * 1_000_003))
    return found.numpy(), SPACE.to_pixels(seen[-1]).reshape(COUNT, -1).numpy(), z.numpy().reshape(COUNT, -1)


@pytest.mark.parametrize(("proximity_weight", "noise"), [(0.01, 0.0), (0.0, 0.02), (0.01, 0.01)])
def test_a_step_agrees_with_its_equation(proximity_weight, noise):
    perceptron = by_hand.Perceptron.random(5, mean=SPACE.mean, std=SPACE.std)
    pixels = torch.rand(COUNT, *by_hand.SHAPE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    classes = torch.arange(COUNT) % 5
    found, points, z = searched(perceptron, pixels, classes, proximity_weight=proximity_weight, noise=noise)
    flat = pixels.reshape(COUNT, -1).numpy()
    expected = step_by_hand(perceptron, flat, classes.numpy(), proximity_weight=proximity_weight, noise=noise * z)
    np.testing.assert_allclose(points, expected, rtol=0, atol=1e-12)
    logits = perceptron.logits((expected - perceptron.mean) / perceptron.std)
    np.testing.assert_allclose(found, by_hand.softmax(logits), rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"proximity_weight": 0.0, "noise": 0.0, "labels": "soft"}])
def test_without_proximity_and_noise_it_is_refused_as_boundary_shrinking(options):
    with pytest.raises(ConfigError, match="expected proximity_weight or noise above 0, .* use boundary_shrink"):
        PublishedPSG(**options)
    with pytest.raises(ConfigError, match="use boundary_shrink"):
        PSG(preset="psg_published", **options)


def test_its_record_names_the_psg_paper():
    info = info_of(PublishedPSG(noise=0.1))
    assert info.name == "psg_published"
    assert info.paper.startswith("Nahass et al. 2025")
