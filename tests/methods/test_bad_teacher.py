from __future__ import annotations

import numpy as np
import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from method_steps import assert_resumes_and_repeats, assert_two_processes_share_a_step
from scipy.special import rel_entr, softmax

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import BadTeacher

BATCH = batch_of(small_items(), range(4), range(8, 14))


def prepared(method, seed=0):
    method.prepare(context_of(small_network(), small_items(), seed=seed))
    method.set_mode()
    return method


def conv_by_hand(state, images):
    """The logits of the small network from its weights, with BatchNorm's running statistics."""
    found = torch.nn.functional.conv2d(images, state["0.weight"], state["0.bias"])
    mean, variance, gain, shift = (
        state[f"1.{name}"].view(-1, 1, 1) for name in ("running_mean", "running_var", "weight", "bias")
    )
    found = ((found - mean) / (variance + 1e-5).sqrt() * gain + shift).relu().mean((2, 3))
    return (found @ state["5.weight"].T + state["5.bias"]).double().numpy()


def test_the_loss_follows_its_formula():
    original = {name: value.clone() for name, value in small_network().state_dict().items()}
    method = prepared(BadTeacher(temperature=2.0, remain_weight=3.0, batch_norm="frozen"))
    random = method._incompetent.state_dict()
    with torch.no_grad():
        method.network[5].weight.add_(0.3 * torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))
    student = {name: value.clone() for name, value in method.network.state_dict().items()}
    losses = []
    for part, teacher in (("forget", random), ("remain", original)):
        p, q = (softmax(conv_by_hand(state, BATCH[part]["image"]) / 2, axis=1) for state in (teacher, student))
        losses.append(4 * rel_entr(p, q).sum(1).mean())
    np.testing.assert_allclose(method.loss(BATCH).item(), losses[0] + 3 * losses[1], rtol=1e-4)


def test_the_incompetent_teacher_is_drawn_from_the_seed_and_knows_nothing():
    first, same, other = (prepared(BadTeacher(), seed)._incompetent.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])
    assert not torch.equal(first["0.weight"], small_network().state_dict()["0.weight"])
    assert torch.equal(first["1.running_mean"], torch.zeros(4))


def test_every_image_of_a_step_passes_through_a_teacher():
    method = prepared(BadTeacher())
    assert method.taught == method.parts == ("forget", "remain")
    assert method.gradients_a_step(forget=3, remain=9) == pytest.approx(16)
    method.phase = "repair"
    assert method.taught == ("remain",)


def test_it_repeats_resumes_and_runs_in_two_processes():
    assert_resumes_and_repeats(BadTeacher)
    assert_two_processes_share_a_step(lambda: BadTeacher(batch_norm="frozen"))


def test_a_temperature_out_of_range_is_refused():
    with pytest.raises(ConfigError, match="bad_teacher: expected temperature above 0, got 0"):
        BadTeacher(temperature=0)
