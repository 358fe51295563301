from __future__ import annotations

import math

import pytest
import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Noise
from monai_unlearn.methods.noise import image_generators


@pytest.mark.parametrize(
    ("distribution", "median"),
    [("normal", 0.6745), ("laplace", math.log(2)), ("cauchy", 1.0), ("uniform", 0.5)],
)
def test_draws_have_the_stated_distribution(distribution, median):
    generator = torch.Generator().manual_seed(5)
    draw = Noise(weight=1.0, distribution=distribution).draw((200_000,), generator)
    assert torch.quantile(draw.abs(), 0.5).item() == pytest.approx(median, rel=0.02)
    assert draw.sign().mean().abs() < 0.01


def test_the_distributions_differ_in_their_tails():
    draws = {
        name: Noise(weight=1.0, distribution=name).draw((200_000,), torch.Generator().manual_seed(6)).abs()
        for name in ("normal", "laplace", "cauchy", "uniform")
    }
    beyond_three = {name: (draw > 3).double().mean().item() for name, draw in draws.items()}
    assert beyond_three["normal"] == pytest.approx(math.erfc(3 / math.sqrt(2)), rel=0.15)
    assert beyond_three["laplace"] == pytest.approx(math.exp(-3), rel=0.05)
    assert beyond_three["cauchy"] == pytest.approx(1 - 2 / math.pi * math.atan(3), rel=0.05)
    assert beyond_three["uniform"] == 0


def test_relative_noise_scales_with_the_gradient_of_each_image():
    gradient = torch.ones(2, 1, 40, 40) * torch.tensor([1e-5, 10.0]).view(2, 1, 1, 1)
    relative = Noise(weight=0.5, scale="relative").perturb(gradient, image_generators(0, [0, 0]))
    shares = (relative - gradient) / gradient
    torch.testing.assert_close(shares[0], shares[1], rtol=1e-3, atol=1e-3)
    assert shares[0].std().item() == pytest.approx(0.5, rel=0.1)
    absolute = Noise(weight=0.5).perturb(gradient, image_generators(0, [0, 0]))
    torch.testing.assert_close(absolute[0] - gradient[0], absolute[1] - gradient[1], rtol=1e-4, atol=1e-5)


def test_the_draw_of_an_image_depends_on_seed_and_row_and_not_on_its_batch():
    noise, gradient = Noise(weight=1.0), torch.zeros(3, 1, 4, 4)
    together = noise.perturb(gradient, image_generators(7, [4, 5, 6]))
    alone = noise.perturb(gradient[:1], image_generators(7, [5]))
    assert torch.equal(together[1:2], alone)
    assert not torch.equal(together[0], together[1])
    assert not torch.equal(noise.perturb(gradient[:1], image_generators(8, [5])), alone)


def test_draws_are_those_of_earlier_versions():
    """Another derivation of the seeds would change the weights of every seeded run with noise."""
    (generator,) = image_generators(7, [5])
    expected = torch.empty(4).normal_(generator=torch.Generator().manual_seed(7_000_026))
    assert torch.equal(Noise(weight=1.0).draw((4,), generator), expected)


def test_nothing_is_drawn_without_weight():
    gradient = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    assert Noise(scale="relative").perturb(gradient, ()) is gradient


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"distribution": "gauss"},
            "noise_distribution: expected one of normal, .*, uniform, got 'gauss'",
        ),
        (
            {"scale": "relativ"},
            "noise_scale: expected one of absolute, relative, .* Did you mean 'relative'",
        ),
        ({"weight": -1.0}, "expected a finite weight >= 0, got -1"),
        ({"weight": math.inf}, "expected a finite weight >= 0, got inf"),
    ],
)
def test_refuses_unknown_choices_and_weights_out_of_range(wrong, message):
    with pytest.raises(ConfigError, match=message):
        Noise(**wrong)
