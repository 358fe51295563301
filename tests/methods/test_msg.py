from __future__ import annotations

import copy

import pytest
import torch
from method_bench import context_of, same, small_items, small_network
from method_steps import Run, assert_resumes_and_repeats
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import MSG, FineTune
from monai_unlearn.methods.fresh_weights import initialised_afresh
from monai_unlearn.methods.msg import difference_of_gradients


def parts(seed=0):
    """A network with two convolutions, and forget and remain images of different numbers."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.AdaptiveAvgPool2d(1)),
        *(nn.Flatten(), nn.Linear(4, 3)),
    )
    network[1].running_mean.uniform_(-0.2, 0.2)
    items = small_items(150)
    return network, items[:70], items[70:]


def by_hand(network, forget, remain):
    """The gradient of a difference of two mean cross entropies, written out and taken all at once."""
    network = copy.deepcopy(network).eval()

    def mean(items):
        images, labels = torch.stack([i["image"] for i in items]), torch.tensor([i["label"] for i in items])
        return -network(images).softmax(1)[range(len(items)), labels].log().mean()

    (mean(remain) - mean(forget)).backward()
    return {name: dict(network.named_parameters())[name].grad for name in ("0.weight", "3.weight")}


def prepared(network, forget, remain, **settings):
    method = MSG(**settings)
    method.prepare(context_of(network, forget, remain=remain))
    return method


def test_the_smallest_gradients_start_afresh_and_nothing_else_changes():
    network, forget, remain = parts()
    before, gradients = copy.deepcopy(network.state_dict()), by_hand(network, forget, remain)
    fresh = initialised_afresh(network, ["0", "3"], seed=0)
    prepared(network, forget, remain, share=0.3)
    sizes = torch.cat([gradients[name].abs().flatten() for name in ("0.weight", "3.weight")])
    limit = sizes.sort().values[round(0.3 * len(sizes)) - 1]
    for name, value in network.state_dict().items():
        if name in gradients:
            expected = torch.where(gradients[name].abs() <= limit * (1 + 1e-6), fresh[name], before[name])
            torch.testing.assert_close(value, expected)
        else:
            assert torch.equal(value, before[name])


def test_the_gradient_is_that_of_the_difference_of_the_means():
    network, forget, remain = parts()
    found = difference_of_gradients(context_of(network, forget, remain=remain))
    for name, expected in by_hand(network, forget, remain).items():
        torch.testing.assert_close(found[name].float(), expected, rtol=1e-4, atol=1e-7)
    assert all(weight.grad is None for weight in network.parameters())


def test_kept_convolution_weights_move_a_tenth_as_far():
    """For plain gradient descent: the same as a tenth of their gradient."""
    network, forget, remain = parts()
    damped, plain = (
        prepared(copy.deepcopy(network), forget, remain, share=0.3, damping=damping) for damping in (0.1, 1.0)
    )
    start = copy.deepcopy(damped.network.state_dict())
    batch = {"remain": {"image": torch.stack([i["image"] for i in remain]), "label": torch.arange(80) % 3}}
    gradients = {}
    for method in (damped, plain):
        optimiser = torch.optim.SGD(method.network.parameters(), lr=0.5)
        method.set_mode()
        method.loss(batch).backward()
        gradients = {name: weight.grad.clone() for name, weight in method.network.named_parameters()}
        method.adjust_gradients()
        optimiser.step()
        method.after_step()
    masks = damped.state_dict()["fresh"]
    for name, value in damped.network.named_parameters():
        factor = torch.where(masks[name], 1.0, 0.1) if name in masks else 1.0
        torch.testing.assert_close(value.detach(), start[name] - 0.5 * factor * gradients[name])
    for name, value in plain.network.named_parameters():
        torch.testing.assert_close(value.detach(), start[name] - 0.5 * gradients[name])


def test_adam_is_damped_too():
    free, still = (Run(MSG(damping=damping)).prepare() for damping in (1.0, 0.0))
    kept = ~still.method.state_dict()["fresh"]["0.weight"]
    moved = free.take(0, 4).weights()["0.weight"] != small_network()[0].weight
    assert moved.all()
    assert torch.equal(still.take(0, 4).weights()["0.weight"][kept], small_network()[0].weight[kept])


def test_it_repeats_and_resumes_without_looking_again(monkeypatch):
    assert_resumes_and_repeats(MSG)
    method = prepared(*parts())
    state = copy.deepcopy(method.state_dict())
    monkeypatch.setattr("monai_unlearn.methods.msg.difference_of_gradients", lambda *_a, **_k: pytest.fail("looked"))
    again = MSG()
    again.load_state_dict(state)
    network, forget, remain = parts()
    again.prepare(context_of(network, forget, remain=remain))
    assert same(again.network.state_dict(), method.network.state_dict())
    assert again.gradient_evaluations == 150


def test_its_cost_is_counted_and_can_be_bounded():
    assert MSG().gradients_to_prepare(forget=70, remain=80) == 150
    method = prepared(*parts(), images=10)
    assert method.gradient_evaluations == method.gradients_to_prepare(forget=70, remain=80) == 80
    assert method.gradients_a_step(forget=4, remain=16) == 16


def test_what_cannot_be_used_is_refused():
    with pytest.raises(ConfigError, match=r"msg: expected share in \(0, 1\], damping in \[0, 1\] and images"):
        MSG(share=0)
    with pytest.raises(ConfigError, match="msg: the network has no convolution"):
        prepared(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), *parts()[1:])
    with pytest.raises(ConfigError, match="the checkpoint holds logits, but msg keeps fresh, gradients"):
        MSG().load_state_dict({"logits": 1})
    assert FineTune().state_dict() == MSG().state_dict() == {}
