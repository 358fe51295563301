from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from method_steps import ITEMS, Run, assert_resumes_and_repeats, assert_two_processes_share_a_step

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import NegGradPlus


def losses_by_hand(network, part):
    logits = network(part["image"]).detach().double().numpy()
    return -np.log(np.exp(logits[range(len(logits)), part["label"]]) / np.exp(logits).sum(1))


@pytest.mark.parametrize("ceiling", [10.0, 1.0])
def test_the_loss_follows_its_formula(ceiling):
    method = NegGradPlus(remain_share=0.8, ceiling=ceiling)
    method.prepare(context_of(small_network(), small_items()))
    method.set_mode()
    batch = batch_of(small_items(), range(6), range(8, 17))
    forget, remain = (losses_by_hand(method.network, batch[part]) for part in ("forget", "remain"))
    assert (forget > 1).any()
    assert (forget < 1).any()
    expected = 0.8 * remain.mean() - 0.2 * np.minimum(forget, ceiling).mean()
    np.testing.assert_allclose(method.loss(batch).item(), expected, rtol=1e-4)


def test_an_image_at_the_ceiling_has_no_gradient_so_that_pure_ascent_stays_finite():
    run = Run(NegGradPlus(remain_share=0.0, ceiling=3.0), total=300).prepare()
    run.optimizer = torch.optim.SGD(run.network.parameters(), lr=5.0)
    run.take(0, 300)
    batch = batch_of(ITEMS, range(20), [0])
    assert all(value.isfinite().all() for value in run.weights().values())
    assert -3.0 <= run.method.loss(batch).item() < -1.5


def test_running_statistics_stay():
    run = Run(NegGradPlus()).prepare()
    before = run.network[1].running_mean.clone()
    assert torch.equal(run.take(0, 3).network[1].running_mean, before)


def test_it_repeats_resumes_and_runs_in_two_processes():
    assert_resumes_and_repeats(NegGradPlus)
    assert_two_processes_share_a_step(NegGradPlus)


@pytest.mark.parametrize(
    "wrong", [{"remain_share": 1.5}, {"remain_share": -0.1}, {"ceiling": 0.0}, {"ceiling": math.inf}]
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=r"neggrad_plus: expected remain_share in \[0, 1\] and a finite ceiling"):
        NegGradPlus(**wrong)
