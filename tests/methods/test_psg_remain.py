from __future__ import annotations

import copy

import torch
from method_bench import SPACE, batch_of, small_items, small_network
from teacher_steps import BATCH, a_step, prepared
from torch.nn.functional import kl_div

from monai_unlearn.methods import BoundarySearch, PSGRemain

ITEMS = small_items()


def test_the_teacher_labels_the_points_that_the_original_s_boundary_gives():
    network = small_network()
    original = copy.deepcopy(network).eval()
    method = prepared(network, kind=PSGRemain, epsilon=0.2, bisection_steps=3)
    a_step(method, 0.0)
    teacher = copy.deepcopy(network).eval()
    a_step(method, 0.5)
    whole = batch_of(ITEMS, range(20), [0])["forget"]
    search = BoundarySearch(epsilon=0.2, bisection_steps=3)
    points = search.find(original, whole["image"], whole["label"], pixel_space=SPACE)
    points = search.bisect_to_boundary(original, whole["image"], points, whole["label"])
    torch.testing.assert_close(method.finder.logits, teacher(points).detach())
    assert (original(points).argmax(1) != whole["label"]).any()


def test_the_loss_is_the_divergence_from_those_labels():
    method = prepared(small_network(), kind=PSGRemain, remain_weight=0.0)
    a_step(method, 0.5)
    loss = method.loss(BATCH)
    method.network.eval()
    logits = method.network(BATCH["forget"]["image"])
    targets = method.finder.logits[BATCH["forget"]["row"]].softmax(1)
    expected = kl_div(logits.log_softmax(1), targets, reduction="batchmean")
    torch.testing.assert_close(loss, expected, rtol=1e-3, atol=1e-5)
    assert method.taught == ()


def test_it_resumes_without_another_search():
    network = small_network()
    method = prepared(network, kind=PSGRemain)
    for done in (0.0, 0.5):
        a_step(method, done)
    state, weights = copy.deepcopy(method.state_dict()), copy.deepcopy(network.state_dict())
    resumed_network = small_network()
    resumed = prepared(resumed_network, state=state, kind=PSGRemain)
    resumed_network.load_state_dict(weights)
    assert torch.equal(resumed.finder.logits, method.finder.logits)
    assert torch.equal(a_step(resumed, 0.7), a_step(method, 0.7))


def test_it_plans_the_search_and_counts_it():
    method = prepared(small_network(), kind=PSGRemain, bisection_steps=2)
    assert method.gradient_evaluations == 0
    a_step(method, 0.9)
    assert method.gradient_evaluations == 20
    assert method.gradients_to_prepare(forget=20, remain=0) >= 20 + 20 * 3 / 3
