from __future__ import annotations

import itertools

import numpy as np
import psg_by_hand as by_hand
import pytest
import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import BoundarySearch, Noise, PixelSpace
from monai_unlearn.methods.noise import image_generators
from monai_unlearn.methods.projection import Box

SPACE = PixelSpace(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))


def linear(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 3)).double()


def images(count: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return SPACE.to_inputs(torch.rand(count, 3, 4, 4, generator=generator, dtype=torch.float64))


def check_by_hand(*, steps, schedule, proximity_weight, noise=0.0, distribution="normal", scale="absolute") -> None:
    perceptron = by_hand.Perceptron.random(3, mean=SPACE.mean, std=SPACE.std)
    inputs, labels, rows = images(10), torch.arange(10) % 5, list(range(10))
    search = BoundarySearch(
        epsilon=0.07,
        steps=steps,
        proximity_weight=proximity_weight,
        proximity_schedule=schedule,
        proximity_rate=0.3,
        noise=noise,
        noise_distribution=distribution,
        noise_scale=scale,
    )
    found = search.find(perceptron.module(), inputs, labels, pixel_space=SPACE, generators=image_generators(11, rows))
    generators, source = image_generators(11, rows), Noise(weight=1.0, distribution=distribution)
    draws = [
        np.stack([source.draw((48,), generator).numpy().astype(float) for generator in generators])
        for _ in range(steps)
    ]
    expected = by_hand.search(
        perceptron,
        SPACE.to_pixels(inputs).reshape(10, -1).numpy(),
        labels.numpy(),
        epsilon=0.07,
        T=steps,
        schedule=schedule,
        start=proximity_weight,
        rate=0.3,
        gamma=noise,
        draws=draws,
        relative=scale == "relative",
    )
    np.testing.assert_allclose(SPACE.to_pixels(found).reshape(10, -1).numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("steps", "schedule", "proximity_weight"),
    [(1, "constant", 0.0), *itertools.product((6,), ("constant", "inverse", "exponential", "linear"), (0.5, 20.0))],
)
def test_agrees_with_the_equations(steps, schedule, proximity_weight):
    check_by_hand(steps=steps, schedule=schedule, proximity_weight=proximity_weight)


@pytest.mark.parametrize("distribution", ["normal", "laplace", "cauchy", "uniform"])
@pytest.mark.parametrize(("scale", "noise"), [("absolute", 0.05), ("relative", 1.5)])
def test_agrees_with_the_equations_under_noise(distribution, scale, noise):
    check_by_hand(steps=4, schedule="linear", proximity_weight=0.5, noise=noise, distribution=distribution, scale=scale)


def test_proximity_keeps_the_point_close_and_a_schedule_releases_it():
    network, inputs, labels = linear(), images(6), torch.tensor([0, 1, 2, 0, 1, 2])

    def distance(proximity_weight: float, schedule: str) -> float:
        search = BoundarySearch(epsilon=0.2, steps=8, proximity_weight=proximity_weight, proximity_schedule=schedule)
        return float((search.find(network, inputs, labels, pixel_space=SPACE) - inputs).abs().sum())

    assert distance(50.0, "constant") < distance(50.0, "inverse") < distance(0.0, "constant")


def test_stays_in_the_ball_and_in_the_pixel_range():
    network = linear()
    pixels = SPACE.to_pixels(images(8, seed=2)).round()
    search = BoundarySearch(epsilon=0.3, steps=7, noise=5.0)
    labels = torch.zeros(8, dtype=torch.long)
    generators = image_generators(0, range(8))
    found = search.find(network, SPACE.to_inputs(pixels), labels, pixel_space=SPACE, generators=generators)
    moved = SPACE.to_pixels(found)
    assert moved.min() >= -1e-12
    assert moved.max() <= 1 + 1e-12
    assert (moved - pixels).abs().max() <= 0.3 + 1e-12


def test_an_image_does_not_depend_on_its_batch():
    network, inputs, labels = linear(), images(5, seed=3), torch.tensor([0, 1, 2, 1, 0])
    search = BoundarySearch(steps=3, proximity_weight=0.01, noise=0.1)
    together = search.find(network, inputs, labels, pixel_space=SPACE, generators=image_generators(0, range(5)))
    alone = search.find(network, inputs[2:3], labels[2:3], pixel_space=SPACE, generators=image_generators(0, [2]))
    torch.testing.assert_close(together[2:3], alone)


def test_no_gradient_reaches_the_network():
    network, inputs = linear(), torch.zeros(2, 3, 4, 4, dtype=torch.float64)
    found = BoundarySearch().find(network, inputs, torch.tensor([0, 1]), pixel_space=SPACE)
    assert not found.requires_grad
    assert all(parameter.grad is None for parameter in network.parameters())


def test_noise_is_seeded():
    network = linear()
    inputs, labels = torch.zeros(2, 3, 4, 4, dtype=torch.float64), torch.tensor([0, 1])
    runs = [
        BoundarySearch(noise=10.0).find(
            network, inputs, labels, pixel_space=SPACE, generators=image_generators(seed, (0, 1))
        )
        for seed in (7, 7, 8)
    ]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_any_loss_can_be_ascended():
    start = torch.full((1, 3), 0.5)
    found = BoundarySearch(epsilon=0.25, steps=3).ascend(
        lambda points: (points * torch.tensor([1.0, -1.0, 0.0])).sum(1), start, box=Box.around(start, 0.25)
    )
    torch.testing.assert_close(found, torch.tensor([[0.75, 0.25, 0.5]]))


@pytest.mark.parametrize("wrong", [{"epsilon": 0}, {"steps": 0}, {"proximity_weight": -1}, {"noise": -0.1}])
def test_refuses_settings_out_of_range(wrong):
    with pytest.raises(ConfigError, match="boundary search: expected 0 < epsilon"):
        BoundarySearch(**wrong)


@pytest.mark.parametrize("wrong", [-1, 2.5])
def test_refuses_bisection_steps_that_are_no_count(wrong):
    with pytest.raises(ConfigError, match=f"expected a whole number of bisection_steps >= 0, got {wrong}"):
        BoundarySearch(bisection_steps=wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise_distribution": "gauss"}, "normal, laplace, cauchy, uniform, got 'gauss'"),
        ({"noise_scale": "loud"}, "absolute, relative, got 'loud'"),
        ({"proximity_schedule": "cosine"}, "constant, inverse, exponential, linear, got 'cosine'"),
    ],
)
def test_refuses_unknown_choices_before_anything_is_searched(wrong, message):
    with pytest.raises(ConfigError, match=message):
        BoundarySearch(**wrong)


def test_bisection_ends_just_across_the_boundary():
    # Along the line to the point, class 1 begins at a quarter and class 2 at three quarters of the way.
    def network(inputs):
        way = inputs.flatten(1).mean(1, keepdim=True)
        return torch.cat([torch.zeros_like(way), torch.sign(way - 0.25), 2 * torch.sign(way - 0.75)], dim=1)

    starts, points = torch.zeros(3, 1, 2, 2, dtype=torch.float64), torch.ones(3, 1, 2, 2, dtype=torch.float64)
    starts[2] = 0.5  # predicted as class 1 already: the line begins beyond the boundary
    labels = torch.zeros(3, dtype=torch.long)
    labels[1] = 2  # the point found has not left this class
    found = BoundarySearch(bisection_steps=6).bisect_to_boundary(network, starts, points, labels)
    way = found.flatten(1).mean(1)
    assert 0.25 < way[0] <= 0.25 + 2**-6
    assert way[1] <= 2**-6
    assert 0.5 <= way[2] <= 0.5 + 2**-7
    assert network(found).argmax(1)[0] == 1


def test_a_point_predicted_as_its_own_class_is_returned_unchanged():
    def network(inputs):
        return torch.tensor([[1.0, 0.0]]).expand(len(inputs), -1)

    starts, points = torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    found = BoundarySearch(bisection_steps=4).bisect_to_boundary(
        network, starts, points, torch.zeros(2, dtype=torch.long)
    )
    assert torch.equal(found, points)


def test_without_bisection_points_are_bit_identical():
    starts, points = images(4), images(4, seed=5)
    assert torch.equal(
        BoundarySearch().bisect_to_boundary(linear(), starts, points, torch.zeros(4, dtype=torch.long)), points
    )


def test_an_empty_batch_is_bisected_without_calling_the_network():
    def network(inputs):
        raise AssertionError(inputs.shape)

    empty = torch.zeros(0, 1, 2, 2)
    found = BoundarySearch(bisection_steps=3).bisect_to_boundary(
        network, empty, empty, torch.zeros(0, dtype=torch.long)
    )
    assert found.shape == empty.shape


def test_bisection_finds_the_crossing_of_a_linear_network():
    network, inputs = linear(), images(12)
    labels = network(inputs).argmax(1)
    search = BoundarySearch(epsilon=0.3, bisection_steps=20)
    points = search.find(network, inputs, labels, pixel_space=SPACE)
    found = search.bisect_to_boundary(network, inputs, points, labels)
    flipped = network(points).argmax(1) != labels
    assert flipped.any()
    weight, bias = network[1].weight.detach().numpy(), network[1].bias.detach().numpy()
    for start, end, own, back in zip(inputs[flipped], points[flipped], labels[flipped], found[flipped], strict=True):
        # A linear network's margin to each other class is linear along the line: its root is the crossing.
        at_start, at_end = (weight @ x.flatten().numpy() + bias for x in (start, end))
        before, after = at_start[own] - at_start, at_end[own] - at_end
        crossings = [before[k] / (before[k] - after[k]) for k in range(3) if k != own and after[k] < 0]
        expected = start + min(crossings) * (end - start)
        torch.testing.assert_close(back, expected, atol=1e-5, rtol=0)
