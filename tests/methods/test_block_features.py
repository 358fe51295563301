from __future__ import annotations

import copy

import pytest
import torch
from method_bench import same, small_items, small_network
from monai.networks.nets import ResNet
from torch import nn

from monai_unlearn.methods.block_features import block_features

CPU = torch.device("cpu")


def test_each_block_gives_its_means_over_space():
    torch.manual_seed(0)
    network = ResNet("basic", [1, 1, 1, 1], [4, 8, 8, 8], spatial_dims=2, n_input_channels=3, num_classes=3).train()
    items = [{"image": torch.randn(3, 32, 32), "label": row % 3} for row in range(70)]
    found = block_features(network, items, [0, 2, 69], device=CPU)
    assert found.labels.tolist() == [0, 2, 0]
    assert len(found) == 3
    assert [block.shape for block in found.blocks] == [(3, 4), (3, 4), (3, 8), (3, 8), (3, 8)]
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    reference = copy.deepcopy(network).eval()
    images = torch.stack([items[row]["image"] for row in (0, 2, 69)])
    hidden = reference.maxpool(reference.act(reference.bn1(reference.conv1(images))))
    for place, layer in enumerate([reference.layer1, reference.layer2, reference.layer3, reference.layer4], 1):
        hidden = layer(hidden)
        expected = hidden.sum((2, 3)) / (hidden.shape[2] * hidden.shape[3])
        torch.testing.assert_close(torch.from_numpy(found.blocks[place]).float(), expected)


class Tokens(nn.Module):
    """Each row of an image is a token."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(24, 12)
        self.layer = nn.TransformerEncoderLayer(12, 3, 16, batch_first=True)
        self.head = nn.Linear(12, 3)

    def forward(self, images):
        return self.head(self.layer(self.embed(images.transpose(1, 2).flatten(2))).mean(1))


def test_tokens_are_averaged():
    network = Tokens().eval()
    found = block_features(network, small_items(), range(3), device=CPU)
    logits = network(torch.stack([item["image"] for item in small_items()[:3]]))
    last = torch.from_numpy(found.blocks[-1]).float()
    torch.testing.assert_close(network.head(last), logits)


def test_features_without_space_are_taken_as_they_are():
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.ReLU(), nn.Linear(5, 3))
    found = block_features(network, small_items(), range(20), device=CPU)
    expected = network[1](torch.stack([item["image"].flatten() for item in small_items()]))
    torch.testing.assert_close(torch.from_numpy(found.blocks[0]).float(), expected.detach())


def test_the_network_is_left_as_it_was():
    network = small_network()
    network.train()
    network[0].eval()
    before = copy.deepcopy(network.state_dict())
    block_features(network, small_items(), [1], device=CPU)
    assert same(before, network.state_dict())
    assert [network[0].training, network[1].training] == [False, True]


def test_hooks_are_taken_off_where_an_image_fails():
    network = small_network()
    items = [*small_items(1), {"image": torch.zeros(2, 8, 8), "label": 0, "row": 1}]
    with pytest.raises(RuntimeError, match="channels"):
        block_features(network, items, [1], device=CPU)
    assert not any(module._forward_hooks for module in network.modules())
