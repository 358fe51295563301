from __future__ import annotations

import copy

import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import GEAR

ITEMS = small_items()


def cos(a, b):
    return a @ b / (a.norm() * b.norm())


def test_the_loss_is_written_out():
    network = small_network()
    original = copy.deepcopy(network).eval()
    method = GEAR(feature_weight=0.3)
    method.prepare(context_of(network, ITEMS, remain=ITEMS[6:]))
    with torch.no_grad():
        network[0].weight.add_(0.1)
    method.set_mode()
    batch = batch_of(ITEMS, [0, 1, 2], [8, 9])
    logits = copy.deepcopy(network).train()(batch["remain"]["image"])
    kept = copy.deepcopy(network).train()[:5](batch["remain"]["image"])
    loss = method.loss(batch)
    now = copy.deepcopy(network).eval()
    forget = now[:5](batch["forget"]["image"])
    wanted = original[:5](batch["remain"]["image"])
    remain = torch.stack([item["image"] for item in ITEMS[6:]])
    labels = torch.tensor([item["label"] for item in ITEMS[6:]])
    centroids = [original[:5](remain[labels == label]).mean(0) for label in range(3)]
    pull = sum(1 - cos(a, b) for a, b in zip(kept, wanted, strict=True)) / 2
    push = sum(max(0, *(float(cos(f, c).detach()) for c in centroids)) * cos(f, r) for f in forget for r in kept) / 6
    spread = 1 - sum(cos(a, b) for i, a in enumerate(forget) for j, b in enumerate(forget) if i != j) / 6
    expected = cross_entropy(logits, batch["remain"]["label"]) + 0.3 * (pull + push - spread)
    torch.testing.assert_close(loss, expected, rtol=1e-3, atol=1e-5)


def test_one_forget_image_has_no_spread_and_repair_leaves_them_out():
    method = GEAR()
    method.prepare(context_of(small_network(), ITEMS))
    method.set_mode()
    batch = batch_of(ITEMS, [0], [8, 9])
    assert torch.isfinite(method.loss(batch))
    method.phase = "repair"
    assert torch.isfinite(method.loss({"remain": batch["remain"]}))
    assert (method.parts, method.taught) == (("remain",), ("remain",))
    assert method.forward_passes == 22
    assert method.gradients_to_prepare(forget=20, remain=20) == pytest.approx(22 / 3)


def test_what_it_cannot_do_is_refused():
    with pytest.raises(ConfigError, match="gear: expected feature_weight >= 0"):
        GEAR(feature_weight=-1)
    with pytest.raises(ConfigError, match="gear: expected remain images"):
        GEAR().prepare(context_of(small_network(), ITEMS, remain=None))
