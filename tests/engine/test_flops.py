from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.engine.flops import flops, relative_cost


def conv(width):
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(width * 64, 2))


def test_operations_are_counted():
    """A multiplication and an addition for each weight and place: convolution at 8 x 8 places, and a linear layer."""
    assert flops(conv(4), torch.zeros(3, 8, 8)) == 2 * (3 * 9 * 4 * 64 + 4 * 64 * 2)


def test_a_narrower_network_costs_less():
    image = torch.zeros(3, 8, 8)
    assert relative_cost(conv(2), conv(4), image) == 0.5
    assert relative_cost(conv(2), nn.Identity(), image) == 1.0


def test_the_mode_stays():
    network = nn.Sequential(nn.Dropout(), conv(2)).train()
    flops(network, torch.zeros(3, 8, 8))
    assert network.training


def test_what_fails_leaves_the_mode():
    network = conv(2).train()
    with pytest.raises(RuntimeError, match="to have 3 channels"):
        flops(network, torch.zeros(1, 8, 8))
    assert network.training
