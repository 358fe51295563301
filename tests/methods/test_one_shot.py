from __future__ import annotations

import pytest
from method_bench import context_of, small_items, small_network

from monai_unlearn.methods import OneShot


class Halve(OneShot):
    def edit(self, context):
        for weight in context.network.parameters():
            weight.data.mul_(0.5)


def test_preparing_it_is_the_whole_method():
    network = small_network()
    before = network[5].weight.detach().clone()
    method = Halve()
    method.prepare(context_of(network, small_items()))
    assert (network[5].weight == before / 2).all()
    assert method.one_shot
    assert method.parts == ()
    with pytest.raises(AssertionError, match="Halve takes no steps"):
        method.loss({})
