from __future__ import annotations

import torch
from method_bench import batch_of, context_of, small_items, small_network

from monai_unlearn.methods import FineTune


def prepared(network=None, **options):
    method = FineTune(**options)
    method.prepare(context_of(small_network() if network is None else network, small_items()))
    method.set_mode()
    return method


def test_the_loss_is_the_cross_entropy_of_the_remain_images():
    method = prepared(batch_norm="frozen")
    batch = batch_of(small_items(), [0], range(4, 10))
    loss = method.loss({"forget": None, "remain": batch["remain"]})
    probabilities = method.network(batch["remain"]["image"]).softmax(1)
    expected = -probabilities[torch.arange(6), batch["remain"]["label"]].log().mean()
    torch.testing.assert_close(loss, expected)


def test_it_counts_remain_images_alone():
    method = prepared()
    assert method.parts == ("remain",)
    assert method.gradient_evaluations == method.gradients_to_prepare(forget=100, remain=9) == 0


def test_it_trains_batch_norm_on_remain_images_as_the_mode_says():
    batch = batch_of(small_items(), [0], range(4, 10))
    for mode, moves in (("frozen", False), ("remain", True)):
        method = prepared(batch_norm=mode)
        before = method.network[1].running_mean.clone()
        method.loss(batch)
        assert torch.equal(method.network[1].running_mean, before) is not moves
