from __future__ import annotations

import pytest
import torch
from method_bench import context_of, same, small_items, small_network
from torch import nn
from torch.nn.functional import conv2d

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import BatchNormOnly


def edited(*, seed=0, items=None, network=None, **settings):
    network = small_network() if network is None else network
    method = BatchNormOnly(**settings)
    method.prepare(context_of(network, small_items() if items is None else items, seed=seed, remain=None))
    return network, method


def test_statistics_follow_the_forget_images_and_no_weight_moves():
    """By hand: averages that take a tenth of each batch's mean and unbiased variance."""
    network, before, batches = small_network(), small_network().state_dict(), []
    network.register_forward_pre_hook(lambda _module, inputs: batches.append(inputs[0].clone()))
    _, method = edited(network=network, batch=8)
    assert [len(batch) for batch in batches] == [8, 8]
    assert {float(image[0, 0, 0]) for image in torch.cat(batches)} <= {
        float(i["image"][0, 0, 0]) for i in small_items()
    }
    mean, variance = before["1.running_mean"], before["1.running_var"]
    for batch in batches:
        features = conv2d(batch, before["0.weight"], before["0.bias"])
        mean = 0.9 * mean + 0.1 * features.mean((0, 2, 3))
        variance = 0.9 * variance + 0.1 * features.transpose(0, 1).flatten(1).var(1)
    found = network.state_dict()
    torch.testing.assert_close(found["1.running_mean"], mean)
    torch.testing.assert_close(found["1.running_var"], variance)
    moved = {name for name, value in found.items() if not torch.equal(value, before[name])}
    assert moved == {"1.running_mean", "1.running_var", "1.num_batches_tracked"}
    assert not any(module.training for module in network.modules())
    assert (method.forward_passes, method.parts) == (16, ())
    assert method.gradients_to_prepare(forget=30, remain=900) == 10


def test_the_seed_alone_orders_the_images_and_dropout_draws_nothing():
    found = []
    for noise, seed in ((0, 3), (1, 3), (0, 4)):
        network = small_network()
        network.insert(3, nn.Dropout(0.5))
        torch.manual_seed(noise)
        found.append(edited(network=network, seed=seed, batch=8)[0].state_dict())
    assert same(*found[:2])
    assert not same(found[0], found[2])


def test_fewer_images_than_a_batch_are_one_batch():
    assert edited(items=small_items(5))[1].forward_passes == 5


def test_what_it_cannot_show_is_refused():
    plain = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    with pytest.raises(ConfigError, match="batch_norm_only: expected a network whose BatchNorm keeps .* got 0 such"):
        edited(network=plain)
    with pytest.raises(ConfigError, match="got 1 such layers and 1 images"):
        edited(items=small_items(1))
    with pytest.raises(ConfigError, match="batch_norm_only: expected batches of at least 2 images, got 1"):
        BatchNormOnly(batch=1)
