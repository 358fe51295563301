from __future__ import annotations

import copy

import pytest
import torch
from method_bench import same, small_network
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.fresh_weights import initialised_afresh, without_initialiser


def test_the_named_modules_alone_are_fresh_and_the_network_is_left():
    network = small_network()
    before = copy.deepcopy(network.state_dict())
    fresh = initialised_afresh(network, ["5"], seed=0)
    assert {name for name, value in fresh.items() if not torch.equal(value, before[name])} == {"5.weight", "5.bias"}
    assert same(before, network.state_dict())


def test_by_default_all_are_and_the_seed_alone_decides():
    drawn = [initialised_afresh(small_network(seed), seed=draw) for seed, draw in ((0, 3), (1, 3), (0, 4))]
    assert same(drawn[0], drawn[1])
    assert not torch.equal(drawn[0]["0.weight"], drawn[2]["0.weight"])
    assert torch.equal(drawn[0]["1.running_var"], torch.ones(4))


def test_the_random_state_elsewhere_is_left_alone():
    network, state = nn.Linear(2, 2), torch.random.get_rng_state()
    initialised_afresh(network, seed=0)
    assert torch.equal(torch.random.get_rng_state(), state)


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
    assert without_initialiser(network) == ["1"]
    fresh = initialised_afresh(network, seed=0, strict=False)
    assert torch.equal(fresh["1.factor"], network[1].factor)
    assert not torch.equal(fresh["0.weight"], network[0].weight)
