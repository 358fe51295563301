from __future__ import annotations

import copy
import json
import math

import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from monai.networks.nets import ResNet
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Reset
from monai_unlearn.methods.reset import initialised_afresh


class NeverRead(list):
    """The forget images of a method that does not look at them."""

    def __getitem__(self, _row):
        pytest.fail("a forget image was read")

    def __iter__(self):
        pytest.fail("the forget images were read")


def trained(seed=0):
    """A network all of whose tensors differ from fresh ones."""
    torch.manual_seed(seed)
    network = ResNet("basic", [1, 1, 1, 1], [8, 16, 32, 64], spatial_dims=2, n_input_channels=3, num_classes=3)
    with torch.no_grad():
        for value in network.state_dict().values():
            value.add_(7)
    return network


def prepared(network, *, seed=0, items=None, **settings):
    items = items or [{"image": torch.randn(3, 32, 32), "label": row % 3, "row": row} for row in range(6)]
    method = Reset(**settings)
    method.prepare(context_of(network, NeverRead(), seed=seed, remain=items))
    return method


@pytest.mark.parametrize(
    ("depth", "fresh"),
    [
        ("head", ("fc.",)),
        ("last_block", ("layer4.", "fc.")),
        (1, ("layer4.", "fc.")),
        (3, ("layer2.", "layer3.", "layer4.", "fc.")),
        (5, ("",)),
        ("all", ("",)),
    ],
)
def test_only_the_tensors_within_the_depth_change_and_every_one_of_them_does(depth, fresh):
    network = trained()
    before = copy.deepcopy(network.state_dict())
    prepared(network, depth=depth)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if name.startswith(fresh)}


def test_fresh_weights_are_distributed_as_each_layer_initialises_them():
    """Uniform on ±1/√(inputs of a unit) for convolutions and linear layers (their a = √5), as torch documents it."""
    network = trained()
    prepared(network, depth="last_block")
    for weight in (network.layer4[0].conv2.weight, network.fc.weight):
        bound = 1 / math.sqrt(weight[0].numel())
        values = weight.detach().flatten()
        assert values.abs().max() <= bound
        assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)
        assert abs(values.mean()) < 4 * bound / math.sqrt(3 * len(values))
        ranks = (values.sort().values / bound + 1) / 2
        distance = (ranks - (torch.arange(len(values)) + 0.5) / len(values)).abs().max()
        assert distance < 1.95 / math.sqrt(len(values))  # Kolmogorov's 0.1 % point
    norm = network.layer4[0].bn1
    fresh = {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1, "num_batches_tracked": 0}
    assert all(torch.equal(getattr(norm, name), torch.full_like(getattr(norm, name), v)) for name, v in fresh.items())


def test_the_seed_alone_decides_what_is_drawn():
    images = [{"image": torch.rand(3, 32, 32), "label": 1, "row": 0}]
    drawn = []
    for seed, items, noise in ((3, None, 0), (3, images, 1), (4, None, 0)):
        network = trained()
        torch.manual_seed(noise)
        state = torch.random.get_rng_state()
        prepared(network, seed=seed, items=items)
        if items:
            assert torch.equal(torch.random.get_rng_state(), state)
        drawn.append(network.fc.weight.detach().clone())
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_the_loss_is_that_of_training_on_the_remain_images():
    weight = torch.tensor([1.0, 2.0, 3.0])
    network, items = small_network(), small_items()
    method = Reset(depth="head")
    loss = nn.CrossEntropyLoss(weight=weight)
    method.prepare(context_of(network, NeverRead(), remain=items, training_loss=loss))
    method.set_mode()
    batch = batch_of(items, [0], range(4, 10))
    found = method.loss({"remain": batch["remain"]})
    probabilities = copy.deepcopy(network).train()(batch["remain"]["image"]).softmax(1)
    own = probabilities[torch.arange(6), batch["remain"]["label"]]
    weights = weight[batch["remain"]["label"]]
    torch.testing.assert_close(found, -(weights * own.log()).sum() / weights.sum())


def test_batch_norm_follows_the_remain_images():
    network, items = small_network(), small_items()
    method = Reset(depth="head")
    method.prepare(context_of(network, NeverRead(), remain=items))
    method.set_mode()
    before = network[1].running_mean.clone()
    method.loss(batch_of(items, [0], range(4, 10)))
    assert not torch.equal(network[1].running_mean, before)
    assert (method.batch_norm, method.parts, method.needs_forget) == ("remain", ("remain",), False)


def test_it_asks_for_the_steps_of_training_and_counts_its_own_look():
    assert (Reset.steps.learning_rate, Reset.steps.remain_batch_size, Reset.steps.as_training) == (1.0, 16, True)
    passes = [prepared(trained(), depth=depth).forward_passes for depth in ("head", "all")]
    assert json.dumps(passes) == "[1, 0]"


def test_a_layer_that_cannot_be_initialised_is_refused():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(torch.ones(1))

        def forward(self, inputs):
            return self.factor * inputs

    network = nn.Sequential(nn.Linear(2, 2), Scale())
    with pytest.raises(ConfigError, match="Scale '1' has weights but no `reset_parameters`"):
        initialised_afresh(network, ["0", "1"], seed=0)


def test_without_remain_images_it_is_refused():
    with pytest.raises(ConfigError, match="reset: expected remain images, got none"):
        Reset().prepare(context_of(small_network(), NeverRead(), remain=None))


def test_an_unknown_depth_is_refused_at_once():
    with pytest.raises(ConfigError, match="depth: expected head, last_block, all or a number"):
        Reset(depth="tail")
