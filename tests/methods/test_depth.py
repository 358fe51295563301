from __future__ import annotations

import pytest
import torch
from method_bench import context_of, small_items
from monai.networks.nets import DenseNet121, EfficientNetBN, ResNet, SEResNet50
from torch import nn

from monai_unlearn.engine.head import as_classifier
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.depth import blank_image, blocks_of, check_depth, modules_within
from monai_unlearn.methods.logit_ensemble import LogitEnsemble

IMAGE = torch.zeros(3, 32, 32)
PLAIN = {"spatial_dims": 2, "num_classes": 3}


def resnet(layers=(1, 1, 1, 1)):
    return ResNet("basic", list(layers), [4, 8, 8, 8], n_input_channels=3, **PLAIN)


def sequential():
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.GroupNorm(2, 4)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)),
    )


class HeadFirst(nn.Module):
    """Names its modules in another order than it runs them."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 2)
        self.encoder = resnet()

    def forward(self, images):
        return self.head(self.encoder(images))


# Of each network: its blocks, what its last block and its head consist of.
NETWORKS = {
    "ResNet": (lambda: resnet((1, 2, 1, 2)), 8, ("layer4.1",), ("fc",)),
    "DenseNet": (
        lambda: DenseNet121(spatial_dims=2, in_channels=3, out_channels=3),
        9,
        ("features.denseblock4", "features.norm5"),
        ("class_layers.out",),
    ),
    "EfficientNet": (
        lambda: EfficientNetBN("efficientnet-b0", in_channels=3, pretrained=False, **PLAIN),
        18,
        ("_blocks.6.15", "_conv_head", "_bn1"),
        ("_fc",),
    ),
    "SEResNet": (lambda: SEResNet50(in_channels=3, **PLAIN), 18, ("layer4.2",), ("last_linear",)),
    "Sequential": (sequential, 3, ("3", "4"), ("7",)),
    "a wrapper": (lambda: nn.Sequential(resnet()), 6, ("0.layer4.0",), ("0.fc",)),
    "encoder and head": (HeadFirst, 6, ("encoder.layer4.0", "encoder.fc"), ("head",)),
}


@pytest.mark.parametrize(("build", "count", "last", "head"), NETWORKS.values(), ids=NETWORKS)
def test_the_blocks_of_a_network_are_in_the_order_in_which_they_run(build, count, last, head):
    network = build()
    blocks = blocks_of(network, IMAGE)
    assert len(blocks) == count
    assert [block.names for block in blocks[-2:]] == [last, head]
    within = {depth: modules_within(network, depth, IMAGE) for depth in ("head", "last_block", 2, count - 1, "all")}
    assert (within["head"], within["last_block"], within["all"]) == (head, (*last, *head), ("",))
    assert within[2][-len(within["last_block"]) :] == within["last_block"]
    # Every weight is in one block, and no other.
    names = [name for block in blocks for name in block.names]
    weights = {f"{name}.{inner}" for name in names for inner, _ in network.get_submodule(name).named_parameters()}
    assert weights == {name for name, _ in network.named_parameters()}
    assert len(names) == len(set(names))
    assert within[count - 1] == tuple(names)


def test_the_network_is_left_as_it_was():
    network = resnet().train()
    network.layer1.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    blocks_of(network, torch.randn(3, 32, 32))
    assert network.training
    assert not network.layer1.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_pre_hooks for module in network.modules())


class TwoOutputs(nn.Module):
    """Gives logits and, run after them, those of an auxiliary head."""

    def __init__(self):
        super().__init__()
        self.encoder = resnet()
        self.fc, self.aux = nn.Linear(3, 2), nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))

    def forward(self, images):
        features = self.encoder(images)
        return self.fc(features), self.aux(features)


def test_what_the_presented_output_does_not_depend_on_is_in_no_block():
    network = as_classifier(TwoOutputs())
    for weight in network.parameters():
        weight.requires_grad = False
    before = ("encoder.layer4.0", "encoder.fc")
    assert modules_within(network, "last_block", IMAGE) == (*before, "fc")
    as_classifier(network, network_output=1)
    assert modules_within(network, "last_block", IMAGE) == (*before, "aux.0", "aux.1")
    assert not any(weight.requires_grad or weight.grad is not None for weight in network.parameters())
    # Of a network that is presented with no output, nothing is known.
    assert modules_within(TwoOutputs(), "head", IMAGE) == ("aux.1",)


def test_a_network_of_fewer_blocks_is_refused():
    with pytest.raises(
        ConfigError, match=r"depth: the network has 5 blocks before its head, fewer than 6\. Give .* or all\.$"
    ):
        modules_within(resnet(), 6, IMAGE)
    with pytest.raises(ConfigError, match=r"^blocks: the network has 0 blocks before its head, .*\. Give head\.$"):
        modules_within(nn.Linear(4, 2), 1, torch.zeros(4), name="blocks", known=("head", "last_block"))


@pytest.mark.parametrize("depth", ["last", 0, -1, 1.5, True, None])
def test_what_is_no_depth_is_refused(depth):
    with pytest.raises(ConfigError, match="depth: expected head, last_block, all or a number of blocks of at least 1"):
        modules_within(resnet(), depth, IMAGE)


def test_further_words_may_be_allowed():
    check_depth("auto", also=("auto",))
    with pytest.raises(ConfigError, match="depth: expected auto, head, last_block, all or a number"):
        check_depth("tail", also=("auto",))


def test_a_blank_image_reads_no_forget_image_where_there_are_remain_ones():
    items = small_items()
    assert torch.equal(blank_image(context_of(resnet(), [], remain=items)), torch.zeros(3, 8, 8))
    assert blank_image(context_of(resnet(), items, remain=None)).shape == (3, 8, 8)


def test_an_ensemble_has_no_head_of_its_own():
    with pytest.raises(ConfigError, match="depth: the network is an ensemble of two"):
        blocks_of(LogitEnsemble([resnet(), resnet()]), IMAGE)
