from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from method_steps import ITEMS, Run, assert_resumes_and_repeats, assert_two_processes_share_a_step
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import BoundaryExpand

BATCH = batch_of(small_items(), range(6), range(8, 14))


def features_of(network, part):
    return network[:5](BATCH[part]["image"]).detach().double().numpy()


@pytest.mark.parametrize("remain_weight", [0.0, 2.0])
def test_the_loss_follows_its_formula(remain_weight):
    run = Run(BoundaryExpand(remain_weight=remain_weight)).prepare()
    run.method.set_mode()
    weight, bias = (value.detach().double().numpy() for value in (run.network[5].weight, run.network[5].bias))
    assert weight.shape == (4, 4)
    losses = []
    for part, labels in (("forget", np.full(6, 3)), ("remain", BATCH["remain"]["label"].numpy())):
        logits = features_of(run.network, part) @ weight.T + bias
        losses.append((np.log(np.exp(logits).sum(1)) - logits[range(6), labels]).mean())
    expected = losses[0] + remain_weight * losses[1]
    np.testing.assert_allclose(run.method.loss(BATCH).item(), expected, rtol=1e-5)


def test_only_the_loss_sees_the_additional_class_even_in_a_copy():
    original, run = small_network().eval(), Run(BoundaryExpand()).prepare()
    images, before = BATCH["forget"]["image"], run.weights()
    run.network.eval()
    for network in (run.network, copy.deepcopy(run.network)):
        torch.testing.assert_close(network(images), original(images))
    run.method.loss(BATCH)
    torch.testing.assert_close(run.network(images), original(images))
    assert torch.equal(before["5.weight"][:3], original[5].weight)


def test_the_optimiser_trains_the_additional_row_and_finish_removes_it():
    run = Run(BoundaryExpand()).prepare()
    before = run.weights()["5.weight"]
    after = run.take(0, 12).weights()["5.weight"]
    assert (after[3] != before[3]).all()
    run.method.finish()
    assert run.network[5].out_features == 3
    assert torch.equal(run.network[5].weight, after[:3])
    assert run.network[5].bias.shape == (3,)
    assert not run.network[5]._forward_hooks
    kept = run.weights()
    run.method.finish()
    assert all(torch.equal(value, kept[name]) for name, value in run.weights().items())
    small_network().load_state_dict(kept)


def test_steps_move_forget_images_to_the_additional_class():
    run = Run(BoundaryExpand(), total=12).prepare()
    first = run.method.loss(BATCH).item()
    assert run.take(0, 12).method.loss(BATCH).item() < 0.8 * first


def test_the_new_row_depends_on_the_seed_alone_and_has_the_size_of_a_linear_layer_s():
    rows = [Run(BoundaryExpand(), {"seed": seed}).prepare().network[5].weight[3].detach() for seed in (1, 1, 2)]
    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])
    assert rows[0].abs().max() <= 0.5  # one over the root of the 4 inputs


def test_running_statistics_stay():
    run = Run(BoundaryExpand()).prepare()
    before = run.network[1].running_mean.clone()
    assert torch.equal(run.take(0, 3).network[1].running_mean, before)


def test_it_repeats_resumes_and_runs_in_two_processes():
    assert_resumes_and_repeats(BoundaryExpand)
    assert_two_processes_share_a_step(BoundaryExpand)


def test_costs():
    method = Run(BoundaryExpand()).prepare().method
    assert (method.parts, method.forward_passes) == (("forget",), 3)


class Turned(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(192, 3)

    def forward(self, images):
        return self.layer(images.flatten(1)).flip(1)


@pytest.mark.parametrize(
    ("network", "found"),
    [
        (nn.Sequential(nn.Conv2d(3, 3, 8), nn.Flatten()), "Conv2d"),
        (nn.Sequential(nn.Flatten(), nn.Linear(192, 3), nn.BatchNorm1d(3)), "Linear and BatchNorm1d"),
        (Turned(), "a layer whose outputs the network changes"),
    ],
)
def test_a_network_that_cannot_be_widened_is_refused_and_stays(network, found):
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ConfigError, match=f"boundary_expand: expected a network that ends in one nn.Linear.* {found}"):
        BoundaryExpand().prepare(context_of(network, ITEMS))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
