from __future__ import annotations

import copy

import pytest
import torch
from method_bench import context_of, small_items, small_network
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import SSD

ITEMS = small_items()
FORGET, REMAIN = ITEMS[:6], ITEMS[6:]


def importance(network, items):
    """The mean of squared gradients, image by image."""
    network.eval()
    total = [torch.zeros_like(weight) for weight in network.parameters()]
    for item in items:
        loss = cross_entropy(network(item["image"][None]), torch.tensor([item["label"]]))
        for sums, gradient in zip(total, torch.autograd.grad(loss, list(network.parameters())), strict=True):
            sums.add_(gradient**2 / len(items))
    return total


@pytest.mark.parametrize(("alpha", "dampening"), [(1.2, 1.0), (1.2, 0.3), (1.5, 1.0)])
def test_weights_that_matter_for_the_forget_images_shrink_by_the_ratio(alpha, dampening):
    network = small_network()
    before = [weight.detach().clone() for weight in network.parameters()]
    forget, everything = importance(network, FORGET), importance(network, ITEMS)
    SSD(alpha=alpha, dampening=dampening).prepare(context_of(network, FORGET, remain=REMAIN))
    changed = 0
    for weight, old, f, d in zip(network.parameters(), before, forget, everything, strict=True):
        expected = old.clone()
        for place in range(old.numel()):
            if f.flatten()[place] > alpha * d.flatten()[place]:
                beta = min(dampening * float(d.flatten()[place] / f.flatten()[place]), 1.0)
                expected.view(-1)[place] *= beta
                changed += 1
        torch.testing.assert_close(weight, expected, rtol=1e-3, atol=1e-7)
    assert 0 < changed < sum(weight.numel() for weight in network.parameters())


def test_it_is_the_same_twice_and_counts_an_image_once():
    one, other = (copy.deepcopy(small_network()) for _ in range(2))
    for network in (one, other):
        method = SSD(alpha=1.2)
        method.prepare(context_of(network, FORGET, remain=REMAIN))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert method.gradient_evaluations == method.gradients_to_prepare(forget=6, remain=14) == 20
    assert method.one_shot


def test_what_it_cannot_do_is_refused():
    with pytest.raises(ConfigError, match="ssd: expected alpha and dampening above 0"):
        SSD(alpha=0)
    with pytest.raises(ConfigError, match="ssd: expected remain images"):
        SSD().prepare(context_of(small_network(), FORGET, remain=None))
