from __future__ import annotations

import numpy as np
import pytest
import torch
from method_bench import context_of, small_items, small_network
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import GrinPlus

ITEMS = small_items()
FORGET, REMAIN = ITEMS[:6], ITEMS[6:]


def gradient(network, items):
    network.eval()
    images = torch.stack([item["image"] for item in items])
    loss = cross_entropy(network(images), torch.tensor([item["label"] for item in items]))
    return [one.numpy() for one in torch.autograd.grad(loss, list(network.parameters()))]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_weights_move_by_the_formula(share):
    network = small_network()
    before = [weight.detach().numpy().copy() for weight in network.parameters()]
    f, r = gradient(network, FORGET), gradient(network, REMAIN)
    GrinPlus(rate=0.5, share=share, brake=0.8).prepare(context_of(network, FORGET, remain=REMAIN))
    sizes = np.sort(np.concatenate([np.abs(one).ravel() for one in f]))
    small = sizes[int(0.05 * (len(sizes) - 1))]
    ratios = [np.abs(a) / (np.abs(b) + small) for a, b in zip(f, r, strict=True)]
    least = np.sort(np.concatenate([one.ravel() for one in ratios]))[::-1][round(share * len(sizes)) - 1]
    moved = 0
    for weight, old, a, b, ratio in zip(network.parameters(), before, f, r, ratios, strict=True):
        brake = max(0.0, 1 - 0.8 * abs(np.mean(np.sign(a) * np.sign(b))))
        expected = old + 0.5 * (a - b) * (ratio >= least * (1 - 1e-6)) * brake
        np.testing.assert_allclose(weight.detach().numpy(), expected, rtol=1e-4, atol=1e-6)
        moved += int((weight.detach().numpy() != old).sum())
    assert moved <= round(share * len(sizes)) + 1


def test_it_raises_the_forget_loss_and_counts_an_image_once():
    network = small_network().eval()
    images = torch.stack([item["image"] for item in FORGET])
    labels = torch.tensor([item["label"] for item in FORGET])
    before = cross_entropy(network(images), labels)
    method = GrinPlus(rate=1.0, share=0.5)
    method.prepare(context_of(network, FORGET, remain=REMAIN))
    assert cross_entropy(network(images), labels) > before
    assert method.gradient_evaluations == method.gradients_to_prepare(forget=6, remain=14) == 20


@pytest.mark.parametrize("settings", [{"rate": 0}, {"share": 0}, {"share": 1.1}, {"brake": -1}])
def test_values_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError, match="grin_plus: expected rate above 0"):
        GrinPlus(**settings)


def test_without_remain_images_it_is_refused():
    with pytest.raises(ConfigError, match="grin_plus: expected remain images"):
        GrinPlus().prepare(context_of(small_network(), FORGET, remain=None))
