from __future__ import annotations

import numpy as np
import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from method_steps import Run, assert_resumes_and_repeats, assert_two_processes_share_a_step

from monai_unlearn.methods import Delete

BATCH = batch_of(small_items(), range(6), range(8, 14))


def prepared(method, **settings):
    method.prepare(context_of(small_network(), small_items(), **settings))
    method.set_mode()
    return method


def test_the_loss_is_the_divergence_from_the_original_over_the_other_classes():
    method = prepared(Delete())
    teacher = method.network(BATCH["forget"]["image"]).detach().double().numpy()
    with torch.no_grad():
        method.network[5].weight.add_(0.3 * torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))
    student = method.network(BATCH["forget"]["image"]).detach().double().numpy()
    losses = []
    for z, s, own in zip(teacher, student, BATCH["forget"]["label"].tolist(), strict=True):
        others = [k for k in range(3) if k != own]
        p = np.exp(z[others]) / np.exp(z[others]).sum()
        q = np.exp(s[others]) / np.exp(s).sum()
        losses.append((p * np.log(p / q)).sum())
    np.testing.assert_allclose(method.loss({"forget": BATCH["forget"]}).item(), np.mean(losses), rtol=1e-5)


def test_the_gradient_is_finite_and_pushes_the_true_class_down():
    method = prepared(Delete())
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    (gradient,) = torch.autograd.grad(method.forget_term(logits, BATCH["forget"]), logits)
    # d KL / d logits = q − p, and p of the true class is 0.
    own = gradient[range(6), BATCH["forget"]["label"]]
    torch.testing.assert_close(own, logits.softmax(1)[range(6), BATCH["forget"]["label"]] / 6)


def test_running_statistics_stay():
    run = Run(Delete()).prepare()
    before = run.network[1].running_mean.clone()
    assert torch.equal(run.take(0, 3).network[1].running_mean, before)


def test_a_step_costs_a_gradient_and_a_forward_pass_of_each_forget_image():
    method = prepared(Delete())
    assert (method.parts, method.taught) == (("forget",), ("forget",))
    assert method.gradients_a_step(forget=16, remain=16) == pytest.approx(16 * 4 / 3)
    method.phase = "repair"
    assert (method.parts, method.taught) == (("remain",), ())


def test_it_repeats_resumes_and_runs_in_two_processes():
    assert_resumes_and_repeats(Delete)
    assert_two_processes_share_a_step(Delete)
