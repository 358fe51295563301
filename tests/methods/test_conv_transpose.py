from __future__ import annotations

import copy

import pytest
import torch
from method_bench import context_of, small_items, small_network
from torch import nn
from torch.nn.functional import conv2d

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import ConvTranspose


def test_a_transposed_kernel_sees_a_transposed_image_as_before():
    network = small_network()
    before = copy.deepcopy(network.state_dict())
    ConvTranspose().prepare(context_of(network, small_items()))
    images = torch.stack([item["image"] for item in small_items(4)])
    expected = conv2d(images.transpose(2, 3), before["0.weight"], before["0.bias"]).transpose(2, 3)
    torch.testing.assert_close(network[0](images), expected)
    assert {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])} == {
        "0.weight"
    }


def test_a_network_without_a_kernel_to_transpose_is_refused():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
    with pytest.raises(ConfigError, match="conv_transpose: the network has no convolution with a square kernel"):
        ConvTranspose().prepare(context_of(network, small_items()))
