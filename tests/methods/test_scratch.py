from __future__ import annotations

import torch
from method_bench import batch_of, context_of, same, small_items, small_network
from method_steps import Run, assert_resumes_and_repeats
from torch.nn.functional import cross_entropy

from monai_unlearn.methods import Reset, Scratch


def test_nothing_of_the_original_is_left():
    states = []
    for seed in (0, 1):
        network = small_network(seed)
        Scratch().prepare(context_of(network, small_items(), seed=3))
        states.append(network.state_dict())
    assert same(*states)
    assert torch.equal(states[0]["1.running_mean"], torch.zeros(4))


def test_its_loss_is_that_of_training():
    network, remain = small_network(), batch_of(small_items(), [0], range(6))["remain"]
    method = Scratch()
    method.prepare(context_of(network, small_items()))
    method.set_mode()
    loss = method.loss({"remain": remain})
    torch.testing.assert_close(loss, cross_entropy(network.train()(remain["image"]), remain["label"]))
    assert (method.parts, method.gradients_a_step(forget=4, remain=16), method.forward_passes) == (("remain",), 16, 0)


def test_it_is_a_reset_of_everything():
    runs = (Run(method).prepare().take(0, 4) for method in (Scratch(), Reset(depth="all")))
    assert same(*(run.weights() for run in runs))


def test_it_repeats_and_resumes():
    assert_resumes_and_repeats(Scratch)
