from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import BoundarySearch, PixelSpace

SPACE = PixelSpace(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))


def linear(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 3)).double()


def search_by_hand(network, inputs, labels, *, epsilon, steps, closeness):
    """The search on a linear softmax classifier, from its closed-form gradient, in float64 numpy."""
    weight = network[1].weight.detach().numpy()
    bias = network[1].bias.detach().numpy()
    mean, std = (np.array(v).reshape(1, 3, 1, 1) for v in (SPACE.mean, SPACE.std))
    start = inputs.numpy() * std + mean
    point = start.copy()
    for step in range(1, steps + 1):
        normalised = (point - mean) / std
        scores = normalised.reshape(len(point), -1) @ weight.T + bias
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        shares[np.arange(len(point)), labels.numpy()] -= 1
        gradient = (shares @ weight).reshape(point.shape) / std - closeness * (point - start)
        point = point + epsilon / math.sqrt(step) * np.sign(gradient)
        point = np.clip(np.clip(point, start - epsilon, start + epsilon), 0, 1)
    return (point - mean) / std


@pytest.mark.parametrize(("steps", "closeness"), [(1, 0.0), (5, 0.0), (5, 3.0)])
def test_agrees_with_closed_form_gradients(steps, closeness):
    network, generator = linear(), torch.Generator().manual_seed(1)
    pixels = torch.rand(6, 3, 4, 4, generator=generator, dtype=torch.float64)
    inputs, labels = SPACE.to_inputs(pixels), torch.tensor([0, 1, 2, 0, 1, 2])
    search = BoundarySearch(epsilon=0.07, steps=steps, closeness=closeness)
    found = search.find(network, inputs, labels, pixel_space=SPACE, generator=generator)
    expected = search_by_hand(network, inputs, labels, epsilon=0.07, steps=steps, closeness=closeness)
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-12)


def test_closeness_changes_the_point_after_the_first_step():
    network, generator = linear(), torch.Generator().manual_seed(1)
    inputs = SPACE.to_inputs(torch.rand(4, 3, 4, 4, generator=generator, dtype=torch.float64))
    labels = torch.tensor([0, 1, 2, 0])
    free, held = (
        BoundarySearch(epsilon=0.2, steps=4, closeness=closeness).find(
            network, inputs, labels, pixel_space=SPACE, generator=generator
        )
        for closeness in (0.0, 50.0)
    )
    assert (held - inputs).abs().sum() < (free - inputs).abs().sum()


def test_stays_in_the_ball_and_in_the_pixel_range():
    network, generator = linear(), torch.Generator().manual_seed(2)
    pixels = torch.rand(8, 3, 4, 4, generator=generator, dtype=torch.float64).round()
    search = BoundarySearch(epsilon=0.3, steps=7, noise=5.0)
    labels = torch.zeros(8, dtype=torch.long)
    found = search.find(network, SPACE.to_inputs(pixels), labels, pixel_space=SPACE, generator=generator)
    moved = SPACE.to_pixels(found)
    assert moved.min() >= -1e-12
    assert moved.max() <= 1 + 1e-12
    assert (moved - pixels).abs().max() <= 0.3 + 1e-12


def test_gradient_of_an_image_does_not_depend_on_its_batch():
    network, generator = linear(), torch.Generator().manual_seed(3)
    inputs = SPACE.to_inputs(torch.rand(5, 3, 4, 4, generator=generator, dtype=torch.float64))
    labels = torch.tensor([0, 1, 2, 1, 0])
    search = BoundarySearch(steps=3, closeness=0.01)
    together = search.find(network, inputs, labels, pixel_space=SPACE, generator=generator)
    alone = search.find(network, inputs[2:3], labels[2:3], pixel_space=SPACE, generator=generator)
    torch.testing.assert_close(together[2:3], alone)


def test_no_gradient_reaches_the_network():
    network, generator = linear(), torch.Generator().manual_seed(4)
    inputs = torch.zeros(2, 3, 4, 4, dtype=torch.float64)
    search = BoundarySearch(noise=0.1)
    found = search.find(network, inputs, torch.tensor([0, 1]), pixel_space=SPACE, generator=generator)
    assert not found.requires_grad
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("distribution", "quartile"),
    [("normal", 0.6745), ("laplace", math.log(2)), ("cauchy", 1.0), ("uniform", 0.5)],
)
def test_noise_has_the_stated_distribution(distribution, quartile):
    generator = torch.Generator().manual_seed(5)
    draw = BoundarySearch(noise=1.0, noise_distribution=distribution)._draw(torch.empty(200_000), generator)
    assert torch.quantile(draw.abs(), 0.5).item() == pytest.approx(quartile, rel=0.02)
    assert draw.sign().mean().abs() < 0.01


def test_noise_is_seeded():
    network = linear()
    inputs, labels = torch.zeros(2, 3, 4, 4, dtype=torch.float64), torch.tensor([0, 1])
    runs = [
        BoundarySearch(noise=10.0).find(
            network, inputs, labels, pixel_space=SPACE, generator=torch.Generator().manual_seed(seed)
        )
        for seed in (7, 7, 8)
    ]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("wrong", [{"epsilon": 0}, {"steps": 0}, {"closeness": -1}, {"noise": -0.1}])
def test_refuses_settings_out_of_range(wrong):
    with pytest.raises(ConfigError, match="boundary search: expected 0 < epsilon"):
        BoundarySearch(**wrong)


def test_refuses_an_unknown_distribution():
    with pytest.raises(ConfigError, match="normal, laplace, cauchy, uniform, got 'gauss'"):
        BoundarySearch(noise_distribution="gauss")
