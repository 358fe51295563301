from __future__ import annotations

import copy

import pytest
import torch
from monai.networks.nets import DenseNet, ResNet
from torch import nn

from monai_unlearn.engine.cached_features import Tail, TailSteps, _batches, _rate, cached, features_of, train_tail
from monai_unlearn.errors import ConfigError

IMAGE = torch.zeros(3, 32, 32)


def resnet(*, no_max_pool=True):
    torch.manual_seed(0)
    network = ResNet(
        block="basic",
        layers=[1, 1, 1, 1],
        block_inplanes=[4, 8, 16, 32],
        spatial_dims=2,
        n_input_channels=3,
        conv1_t_stride=2,
        no_max_pool=no_max_pool,
        num_classes=2,
    )
    with torch.no_grad():  # statistics as after training
        network.train()(torch.randn(16, *IMAGE.shape))
    return network.eval()


def densenet():
    torch.manual_seed(0)
    return DenseNet(
        spatial_dims=2, in_channels=3, out_channels=2, init_features=8, growth_rate=4, block_config=(2, 2, 2)
    )


class Skip(nn.Module):
    """A network whose head also gets what came before the last blocks."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = (nn.Linear(3, 3) for _ in range(3))
        self.head = nn.Linear(3, 2)

    def forward(self, images):
        early = self.one(images.mean((2, 3)))
        return self.head(self.three(self.two(early)) + early)


@pytest.mark.parametrize("network", [resnet(), resnet(no_max_pool=False), densenet()], ids=["resnet", "pool", "dense"])
def test_a_tail_on_features_is_the_network_on_images(network):
    images = torch.randn(5, *IMAGE.shape)
    tail = Tail(network, IMAGE, blocks=2).eval()
    features = features_of(network, tail.names[0], images)
    assert features.shape != images.shape
    with torch.no_grad():
        torch.testing.assert_close(tail(features), network.eval()(images), rtol=1e-4, atol=1e-5)


def test_the_tail_has_the_last_two_blocks_and_the_head():
    tail = Tail(resnet(), IMAGE, blocks=2)
    assert tail.names == ("layer3.0", "layer4.0", "fc")
    trained = {name.removeprefix("inner.").partition(".")[0] for name, _ in tail.named_parameters()}
    assert trained == {"layer3", "layer4", "fc"}


def test_a_network_with_a_path_around_the_last_blocks_is_refused():
    with pytest.raises(ConfigError, match="last_blocks needs a network that is a chain of blocks"):
        Tail(Skip(), IMAGE, blocks=2)


def test_a_shallow_network_is_refused():
    shallow = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(ConfigError, match="blocks before its head"):
        Tail(shallow, IMAGE, blocks=2)


def items(count=24):
    generator = torch.Generator().manual_seed(0)
    labels = [i % 2 for i in range(count)]
    return [
        {"image": torch.randn(3, 32, 32, generator=generator) + 3 * label * torch.ones(1), "label": label}
        for label in labels
    ]


def trained(seed=1, steps=40, network=None):
    network = resnet() if network is None else network
    tail = Tail(network, IMAGE, blocks=2)
    tail.reset(seed=seed)
    features, labels = cached(network, tail.names[0], items(), device="cpu")
    train_tail(
        tail,
        features,
        labels,
        loss=nn.functional.cross_entropy,
        optimizer=torch.optim.Adam(tail.parameters(), lr=0.01),
        how=TailSteps(steps=steps, batch_size=8, warm_up=0.1, seed=seed),
    )
    return network, tail


def test_training_learns_and_leaves_the_rest_of_the_network_alone():
    network, tail = trained()
    whole = tail.into(network)
    images, labels = (torch.stack([torch.as_tensor(one[key]) for one in items()]) for key in ("image", "label"))
    with torch.no_grad():
        assert (whole.eval()(images).argmax(1) == labels).all()
    before, after = network.state_dict(), whole.state_dict()
    same = {name for name, value in before.items() if torch.equal(value, after[name])}
    assert {name.partition(".")[0] for name in same} == {"conv1", "bn1", "layer1", "layer2"}
    assert {name for name in before if name.partition(".")[0] in {"conv1", "bn1", "layer1", "layer2"}} == same


def test_the_network_itself_is_not_changed():
    network = resnet()
    before = copy.deepcopy(network.state_dict())
    trained(network=network, steps=3)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.layer3[0]._forward_pre_hooks


def test_nothing_of_the_original_tail_is_left_and_a_seed_says_all():
    """Two originals that differ in their last blocks alone give the same proxies under one seed."""
    one, other = resnet(), resnet()
    with torch.no_grad():
        for name in ("layer3", "layer4", "fc"):
            for weight in other.get_submodule(name).parameters():
                weight.add_(1.0)
    first, second, another = (trained(seed, network=net) for seed, net in ((1, one), (1, other), (2, one)))
    states = [tail.into(net).state_dict() for net, tail in (first, second, another)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["fc.weight"], states[2]["fc.weight"])


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    network = resnet()
    torch.manual_seed(3)
    trained(network=network, steps=2)
    assert torch.equal(torch.rand(1), expected)


def test_the_rate_rises_and_falls():
    how = TailSteps(steps=20, batch_size=4, warm_up=0.1, seed=0)
    rates = [_rate(step, how) for step in range(20)]
    assert rates[:3] == [0.5, 1.0, 1.0]
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] < 0.02


def test_batches_are_full_and_of_all_images():
    how = TailSteps(steps=1, batch_size=4, warm_up=0.1, seed=0)
    rounds = _batches(9, how)
    first = [next(rounds) for _ in range(2)]
    assert [len(rows) for rows in first] == [4, 4]
    assert len(set(torch.cat(first).tolist())) == 8
    few = _batches(3, how)
    assert sorted(next(few).tolist()) == [0, 1, 2]
