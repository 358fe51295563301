from __future__ import annotations

import copy
import io
import json
import math

import pytest
import torch
from camera_networks import camera_images, camera_network
from method_bench import batch_of, context_of, same, small_items, small_network
from method_steps import assert_resumes_and_repeats
from monai.networks.nets import ResNet
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import Reset


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


def test_without_remain_images_it_is_refused():
    with pytest.raises(ConfigError, match="reset: expected remain images, got none"):
        Reset().prepare(context_of(small_network(), NeverRead(), remain=None))


def test_an_unknown_depth_is_refused_at_once():
    with pytest.raises(ConfigError, match="depth: expected auto, head, last_block, all or a number"):
        Reset(depth="tail")


def stepped(network, items, **settings):
    """Take a step with AdamW, and return which tensors it changed beside those that were fresh."""
    method = Reset(**settings)
    method.prepare(context_of(network, NeverRead(), remain=items))
    method.set_mode()
    before = copy.deepcopy(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    batch = {"image": torch.stack([item["image"] for item in items]), "label": torch.arange(len(items)) % 3}
    method.loss({"remain": batch}).backward()
    method.adjust_gradients()
    optimiser.step()
    return {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}


def test_only_the_last_layers_learn_with_tune_last():
    """EU-k: neither a gradient, nor weight decay, nor BatchNorm's statistics change what is kept."""
    torch.manual_seed(0)
    network = ResNet("basic", [1, 1, 1, 1], [8, 16, 32, 64], spatial_dims=2, n_input_channels=3, num_classes=3)
    items = [{"image": torch.randn(3, 32, 32), "label": row % 3, "row": row} for row in range(6)]
    within = {name for name in network.state_dict() if name.startswith(("layer4.", "fc."))}
    assert stepped(copy.deepcopy(network), items, depth="last_block", tune="last") == within
    assert stepped(network, items, depth="last_block") == set(network.state_dict())


def test_the_last_layers_may_begin_as_they_were_trained():
    """CF-k."""
    network = trained()
    prepared(network, depth="head", tune="last", fresh=False)
    assert same(network.state_dict(), trained().state_dict())
    with pytest.raises(
        ConfigError, match="reset: with tune: all and fresh: false nothing is reset. Use the method fin"
    ):
        Reset(fresh=False)
    with pytest.raises(ConfigError, match="tune: expected one of all, last, got 'first'"):
        Reset(tune="first")


@pytest.mark.parametrize("settings", [{"depth": "head"}, {"depth": 1, "tune": "last"}, {"depth": "auto"}])
def test_it_repeats_and_resumes(settings):
    assert_resumes_and_repeats(lambda: Reset(**settings))


def test_an_automatic_depth_is_chosen_recorded_and_counted():
    cohort, rest, network = camera_images(120, inverted=True), camera_images(240, seed=1), camera_network(1)
    method, before = Reset(depth="auto"), copy.deepcopy(network.state_dict())
    assert method.record == method.state_dict() == {}
    method.prepare(context_of(network, cohort, remain=rest))
    moved = {
        name.partition(".")[0] for name, value in network.state_dict().items() if not torch.equal(value, before[name])
    }
    assert moved == {"1", "2", "5"}
    assert (method.record["depth"], len(method.record["blocks"])) == (2, 3)
    assert method.forward_passes == 2 * (120 + 240 + 2) + 1
    assert method.forward_passes / 3 <= method.gradients_to_prepare(forget=120, remain=240)
    assert method.gradient_evaluations == Reset().gradients_to_prepare(forget=120, remain=240) == 0


def test_a_resumed_run_keeps_the_choice_and_does_not_look_again():
    rest = camera_images(240, seed=1)
    first = Reset(depth="auto")
    first.prepare(context_of(camera_network(1), camera_images(120, inverted=True), remain=rest))
    state = torch.load(saved(first.state_dict()), weights_only=True)
    again, network = Reset(depth="auto"), camera_network(1)
    again.load_state_dict(state)
    again.prepare(context_of(network, NeverRead(), remain=rest))
    assert same(network.state_dict(), first.network.state_dict())
    assert (again.record, again.forward_passes) == (first.record, first.forward_passes)
    with pytest.raises(ConfigError, match="the checkpoint holds choice, but Reset keeps nothing"):
        Reset().load_state_dict(state)


def saved(state):
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    return stream
