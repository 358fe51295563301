from __future__ import annotations

import pytest
import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PixelSpace


def test_normalises_each_channel_and_undoes_it():
    space = PixelSpace(mean=(0.4, 0.5), std=(0.1, 2.0))
    pixels = torch.rand(3, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    inputs = space.to_inputs(pixels)
    assert inputs[0, 0, 0, 0] == pytest.approx((pixels[0, 0, 0, 0].item() - 0.4) / 0.1)
    assert inputs[0, 1, 0, 0] == pytest.approx((pixels[0, 1, 0, 0].item() - 0.5) / 2)
    torch.testing.assert_close(space.to_pixels(inputs), pixels)


def test_a_config_may_give_lists():
    space = PixelSpace(mean=[0.4, 0.5], std=[0.1, 2.0])
    assert space == PixelSpace(mean=(0.4, 0.5), std=(0.1, 2.0))


def test_volumes_are_normalised_like_images():
    space, volume = PixelSpace(mean=(0.5,), std=(0.25,)), torch.ones(1, 1, 2, 3, 4)
    assert torch.equal(space.to_inputs(volume), torch.full((1, 1, 2, 3, 4), 2.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": (0.5,), "std": (0.0,)},
        {"mean": (), "std": ()},
        {"mean": (0.5,), "std": (1.0, 1.0)},
        {"mean": (0.5,), "std": (1.0,), "low": 1.0, "high": 1.0},
    ],
)
def test_refuses_a_normalisation_that_cannot_be_undone(wrong):
    with pytest.raises(ConfigError, match="pixel_space: expected a mean and a positive std"):
        PixelSpace(**wrong)


def test_refuses_images_with_another_number_of_channels():
    with pytest.raises(ConfigError, match="has 1 channels, the images have 3"):
        PixelSpace(mean=(0.5,), std=(0.5,)).to_inputs(torch.zeros(1, 3, 2, 2))
