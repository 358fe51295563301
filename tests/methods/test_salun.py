from __future__ import annotations

import numpy as np
import pytest
import torch
from method_bench import SPACE, batch_of, collate, context_of, small_items, small_network
from method_steps import ITEMS, Run, assert_resumes_and_repeats, assert_two_processes_share_a_step, in_two_processes
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import MethodContext, RandomLabel, SalUn
from monai_unlearn.methods.salun import forget_gradient, largest


def test_the_gradient_is_that_of_the_mean_cross_entropy_of_all_forget_images():
    """Of a linear network in closed form: (softmax − one-hot) xᵀ."""
    items = [{**item, "image": item["image"].flatten()} for item in small_items(150)]
    network = nn.Linear(192, 3)
    whole = collate(items)
    p = (whole["image"] @ network.weight.T + network.bias).detach().double().numpy()
    p = np.exp(p) / np.exp(p).sum(1, keepdims=True)
    error = p - np.eye(3)[whole["label"]]
    found = forget_gradient(context_of(network, items))
    np.testing.assert_allclose(found["weight"], error.T @ whole["image"].double().numpy() / 150, atol=1e-6)
    np.testing.assert_allclose(found["bias"], error.mean(0), atol=1e-6)
    assert network.weight.grad is None


def test_the_mask_holds_the_larger_half_over_all_weights_together():
    network = small_network()
    method = SalUn(quantile=0.5)
    method.prepare(context_of(network, ITEMS))
    sizes = {name: value.abs().numpy() for name, value in forget_gradient(context_of(network, ITEMS)).items()}
    flat = np.sort(np.concatenate([value.ravel() for value in sizes.values()]))
    bound = flat[len(flat) // 2 - 1]
    for name, value in sizes.items():
        np.testing.assert_array_equal(method.mask[name].numpy(), value > bound)
    assert sum(int(mask.sum()) for mask in method.mask.values()) == len(flat) - len(flat) // 2


def test_weights_without_a_gradient_are_never_changed():
    found = largest({"a": torch.zeros(3), "b": torch.tensor([1.0, -2.0])}, quantile=0.0)
    assert found["a"].tolist() == [False] * 3
    assert found["b"].tolist() == [True] * 2


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda weights: torch.optim.AdamW(weights, lr=0.05, weight_decay=0.3),
        lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, weight_decay=0.1),
        lambda weights: torch.optim.Adam(weights, lr=0.05, weight_decay=0.1),
    ],
    ids=["AdamW", "SGD", "Adam"],
)
def test_weights_outside_the_mask_keep_their_bits_and_those_within_move(optimizer):
    run = Run(SalUn()).prepare()
    before = run.weights()
    run.optimizer = optimizer(run.network.parameters())
    run.take(0, 6)
    for name, mask in run.method.mask.items():
        after = run.weights()[name]
        assert torch.equal(after[~mask], before[name][~mask])
        assert (after != before[name])[mask].any() or not mask.any()


def test_outside_the_mask_clipping_sees_no_gradient():
    run = Run(SalUn()).prepare()
    run.method.set_mode()
    run.method.loss(batch_of(ITEMS, range(4), range(6))).backward()
    run.method.adjust_gradients()
    assert all(not weight.grad[~run.method.mask[name]].any() for name, weight in run.network.named_parameters())


def test_its_steps_are_those_of_random_labels():
    masked, plain = (Run(kind(batch_norm="frozen")).prepare().method for kind in (SalUn, RandomLabel))
    batch = batch_of(ITEMS, range(4), range(6))
    assert torch.equal(masked.loss(batch), plain.loss(batch))


def test_it_repeats_and_resumes_and_does_not_search_again():
    assert_resumes_and_repeats(SalUn)
    method = SalUn()
    method.load_state_dict(Run(SalUn()).prepare().method.state_dict())
    nothing = [{"row": row} for row in range(20)]
    method.prepare(MethodContext(network=small_network(), forget=nothing, pixel_space=SPACE, device="cpu", seed=0))
    assert method.gradient_evaluations == method.gradients_to_prepare(forget=20, remain=5) == 20


def test_two_processes_find_the_same_mask_and_share_a_step():
    def mask(rank, all_reduce_sum):
        method = SalUn()
        method.prepare(context_of(networks.pop(), ITEMS, rank=rank, world_size=2, all_reduce_sum=all_reduce_sum))
        return method.mask

    networks = [small_network(), small_network()]
    first, second = in_two_processes(mask)
    alone = Run(SalUn()).prepare().method.mask
    for name, values in alone.items():
        assert torch.equal(first[name], values)
        assert torch.equal(second[name], values)
    assert_two_processes_share_a_step(lambda: SalUn(batch_norm="frozen"))


def test_refuses_what_it_cannot_use():
    with pytest.raises(ConfigError, match=r"salun: expected quantile in \[0, 1\), got 1"):
        SalUn(quantile=1)
    with pytest.raises(ConfigError, match="holds logits, but salun keeps gradients and mask. Delete the checkpoint"):
        SalUn().load_state_dict({"logits": 1})
