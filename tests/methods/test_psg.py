from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, MethodContext, PixelSpace


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )


def items(n: int = 20) -> list[dict]:
    generator = torch.Generator().manual_seed(1)
    return [{"image": torch.randn(3, 8, 8, generator=generator), "label": i % 3, "row": i} for i in range(n)]


def prepared(method: PSG, net: nn.Module, data: list[dict], seed: int = 0) -> PSG:
    space = PixelSpace(mean=(0.5,) * 3, std=(0.25,) * 3)
    method.prepare(MethodContext(network=net, forget=data, pixel_space=space, device=torch.device("cpu"), seed=seed))
    return method


def test_search_leaves_the_network_as_it_is():
    net = network()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    prepared(PSG(steps=3, noise=0.1), net, items())
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_labels_are_what_the_frozen_network_reads_at_the_point_found():
    net, data = network(), items()
    method = prepared(PSG(epsilon=0.5, steps=4), net, data)
    images, labels = torch.stack([d["image"] for d in data]), torch.tensor([d["label"] for d in data])
    net.eval()
    points = method.search.find(
        net, images, labels, pixel_space=PixelSpace(mean=(0.5,) * 3, std=(0.25,) * 3), generator=torch.Generator()
    )
    found = net(points).argmax(1)
    assert torch.equal(method.targets, found)
    assert method.flipped == int((found != labels).sum()) > 0
    assert method.gradient_evaluations == 4 * 20


def test_loss_is_boundary_label_plus_weighted_remain():
    net, data = network(), items()
    method = prepared(PSG(remain_weight=0.5), net, data)
    net.eval()
    forget = {"image": data[3]["image"][None], "row": torch.tensor([3])}
    remain = {"image": data[4]["image"][None], "label": torch.tensor([2])}
    expected = -net(forget["image"]).log_softmax(1)[0, method.targets[3]]
    expected = expected - 0.5 * net(remain["image"]).log_softmax(1)[0, 2]
    torch.testing.assert_close(method.loss({"forget": forget, "remain": remain}), expected)


def test_soft_labels_are_probabilities_and_agree_with_hard_ones():
    data = items()
    hard, soft = (prepared(PSG(labels=kind), network(), data) for kind in ("hard", "soft"))
    torch.testing.assert_close(soft.targets.sum(1), torch.ones(20))
    assert torch.equal(soft.targets.argmax(1), hard.targets)
    batch = {"forget": {"image": data[0]["image"][None], "row": torch.tensor([0])}, "remain": {}}
    assert soft.parts == ("forget", "remain")
    soft.remain_weight = 0
    assert soft.parts == ("forget",)
    expected = -(soft.targets[:1] * soft.network(batch["forget"]["image"]).log_softmax(1)).sum()
    torch.testing.assert_close(soft.loss(batch), expected)


def test_labels_depend_on_the_seed_through_noise_only():
    data = items()
    quiet = [prepared(PSG(labels="soft"), network(), data, seed).targets for seed in (0, 1)]
    noisy = [prepared(PSG(labels="soft", noise=1e3), network(), data, seed).targets for seed in (0, 0, 1)]
    assert torch.equal(*quiet)
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])


@pytest.mark.parametrize("wrong", [{"labels": "medium"}, {"remain_weight": -1}])
def test_refuses_settings_out_of_range(wrong):
    with pytest.raises(ConfigError, match="psg: expected labels to be hard or soft and remain_weight >= 0"):
        PSG(**wrong)
