from __future__ import annotations

import dataclasses
import math

import numpy as np
import psg_by_hand as by_hand
import pytest
import torch
from method_bench import context_of, small_network
from torch import nn
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, BoundaryShrink, PixelSpace, PublishedPSG, info_of

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
    found = method.search(SPACE.to_inputs(pixels), classes, torch.arange(COUNT))
    z = drawn(COUNT, pixels.shape[1:])
    return found.numpy(), SPACE.to_pixels(seen[-1]).reshape(COUNT, -1).numpy(), z.numpy().reshape(COUNT, -1)


def drawn(count, shape, *, step=0):
    """Return the z of images 0, 1, … at a step."""
    seeds = [(SEED * 1_000_003 + step) * 1_000_003 + row for row in range(count)]
    return torch.stack([torch.empty(shape).normal_(generator=torch.Generator().manual_seed(seed)) for seed in seeds])


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


@pytest.fixture(scope="module")
def trained():
    """A convolutional network trained for some seconds on four classes of noisy patterns, and 2,000 of their images."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.rand(4, 3, 12, 12, generator=generator)
    labels = torch.arange(2000) % 4
    noise = torch.randn(2000, 3, 12, 12, generator=generator)
    pixels = (0.5 + 0.12 * (patterns[labels] - 0.5) + 0.15 * noise).clamp(0, 1)
    pixels = (pixels * 255).round() / 255
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 36, 4)),
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    for rows in torch.randperm(2000, generator=generator).split(100):
        optimizer.zero_grad()
        cross_entropy(network(SPACE.to_inputs(pixels[rows])), labels[rows]).backward()
        optimizer.step()
    return network.eval(), pixels, labels


def published_labels(network, pixels, labels, *, proximity_weight, noise, in_pixels=False):
    """The search of the published code, batch by batch, with λ and γ beside the gradient of the normalised input."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (SPACE.mean, SPACE.std))
    found = []
    for rows in torch.arange(len(pixels)).split(64):
        x = ((pixels[rows] - mean) / std).requires_grad_()
        loss = -network(x).log_softmax(1)[range(len(rows)), labels[rows]].mean()
        (g,) = torch.autograd.grad(loss, x)
        g = g / std if in_pixels else g
        d = g + proximity_weight * (x.detach() - pixels[rows]) + noise[rows]
        moved = torch.round(torch.clip(pixels[rows] + 0.1 * torch.sign(d), 0, 1) * 255) / 255
        with torch.no_grad():
            found.append(network((moved - mean) / std).argmax(1))
    return torch.cat(found)


@pytest.mark.parametrize(("proximity_weight", "gamma"), [(0.0, 0.0), (1e-4, 0.0), (0.0, 1e-4), (0.0, 1e-3)])
def test_labels_agree_with_the_published_search_on_a_trained_network(trained, proximity_weight, gamma):
    network, pixels, labels = trained
    method = BoundaryShrink()
    if proximity_weight or gamma:
        method = PublishedPSG(proximity_weight=proximity_weight, noise=gamma)
    method.prepare(dataclasses.replace(context_of(network, [], seed=SEED), pixel_space=SPACE))
    inputs = SPACE.to_inputs(pixels)
    found = torch.cat([method.search(inputs[rows], labels[rows], rows) for rows in torch.arange(len(pixels)).split(64)])
    z = gamma * drawn(len(pixels), pixels.shape[1:])
    expected = published_labels(network, pixels, labels, proximity_weight=proximity_weight, noise=z)
    assert (found == expected).float().mean() >= 0.999
    # The labels tell the settings apart: λ and γ change them, and weigh too little beside a gradient in pixels.
    assert len(set(expected.tolist())) == 4
    other = published_labels(network, pixels, labels, proximity_weight=0.0, noise=torch.zeros_like(z))
    assert ((found == other).float().mean() < 0.98) == bool(proximity_weight or gamma)
    other = published_labels(network, pixels, labels, proximity_weight=proximity_weight, noise=z, in_pixels=True)
    assert ((found == other).float().mean() < 0.999) == bool(proximity_weight or gamma)


def test_a_schedule_runs_over_the_passes_of_the_run():
    method = PublishedPSG(proximity_weight=0.6, proximity_schedule="inverse", passes=3)
    method.prepare(context_of(small_network(), []))
    x, p = torch.full((1, 3, 2, 2), 2.0), torch.zeros(1, 3, 2, 2)
    weights = []
    for step in range(12):
        method.done = step / 12
        weights.append(method.direction(p, x, p, torch.tensor([0]))[0, 0, 0, 0].item() / 2)
    assert weights == pytest.approx([0.6] * 4 + [0.3] * 4 + [0.2] * 4)


@pytest.mark.parametrize(
    ("kind", "last"), [("constant", 0.6), ("linear", 0.6 / 10), ("exponential", 0.6 * math.exp(-0.5 * 9))]
)
def test_by_default_a_run_is_ten_passes(kind, last):
    method = PublishedPSG(proximity_weight=0.6, proximity_schedule=kind, proximity_rate=0.5)
    passes = []
    for step in range(100):
        method.done = step / 100
        passes.append(method.current_pass)
    assert passes == [1 + step // 10 for step in range(100)]
    assert method.schedule.at(10, method.passes) == pytest.approx(last)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"passes": 0}, "psg_published: expected passes of at least 1, got 0"),
        ({"proximity_schedule": "liner"}, "expected one of constant, .* got 'liner'"),
        ({"proximity_weight": -1.0}, "schedule: expected start >= 0"),
    ],
)
def test_values_out_of_range_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        PublishedPSG(**{"noise": 1.0, **wrong})


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
