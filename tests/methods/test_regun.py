from __future__ import annotations

import copy

import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from torch.nn.functional import cross_entropy

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import ReGUn

ITEMS = small_items()
HELD_OUT = {"forget": ITEMS[10:15], "remain": ITEMS[15:]}


def prepared(network, **settings):
    method = ReGUn(**settings)
    method.prepare(context_of(network, ITEMS[:10], validation=HELD_OUT))
    method.set_mode()
    return method


def test_forget_images_are_drawn_to_the_mean_prediction_of_held_out_images_of_their_class():
    network = small_network()
    original = copy.deepcopy(network).eval()
    method = prepared(network, remain_weight=0.5)
    with torch.no_grad():
        network[5].bias.add_(torch.tensor([0.3, -0.2, 0.1]))
    batch = batch_of(ITEMS, [0, 1, 4], [5, 6])
    remain_loss = cross_entropy(copy.deepcopy(network).train()(batch["remain"]["image"]), batch["remain"]["label"])
    loss = method.loss(batch)
    held_out = [*HELD_OUT["forget"], *HELD_OUT["remain"]]
    expected = 0.0
    now = copy.deepcopy(network).eval()  # with the statistics that the remain images left
    for row in (0, 1, 4):
        same = [one["image"] for one in held_out if one["label"] == ITEMS[row]["label"]]
        p = original(torch.stack(same)).softmax(1).mean(0)
        q = now(ITEMS[row]["image"][None]).softmax(1)[0]
        expected = expected + (p * (p.log() - q.log())).sum() / 3
    torch.testing.assert_close(loss, expected + 0.5 * remain_loss, rtol=1e-4, atol=1e-5)


def test_the_targets_cost_a_pass_of_each_held_out_image_and_repair_is_the_remain_loss():
    method = prepared(small_network())
    assert method.forward_passes == 10
    assert method.parts == ("forget", "remain")
    method.phase = "repair"
    assert method.parts == ("remain",)
    assert method.loss({"remain": batch_of(ITEMS, [0], [5, 6])["remain"]}) > 0


def test_a_class_without_held_out_images_is_refused():
    lacking = {"forget": [item for item in ITEMS if item["label"] != 2]}
    with pytest.raises(ConfigError, match="regun: 1 of the forget images' classes have no validation image"):
        ReGUn().prepare(context_of(small_network(), ITEMS, validation=lacking))
    with pytest.raises(ConfigError, match="regun: expected remain_weight >= 0"):
        ReGUn(remain_weight=-1)
