from __future__ import annotations

import numpy as np
import torch
from method_bench import batch_of, context_of, small_items, small_network
from method_steps import assert_resumes_and_repeats, assert_two_processes_share_a_step

from monai_unlearn.methods import RandomLabel


def prepared(method, *, seed=0, count=20, **settings):
    method.prepare(context_of(small_network(), small_items(count), seed=seed, **settings))
    method.set_mode()
    return method


def labels_of(method, count=20, classes=3):
    labels = torch.tensor([item["label"] for item in small_items(count)])
    return labels, method.other_labels(labels, torch.arange(count), classes=classes)


def test_the_loss_is_training_s_own_on_the_random_labels_and_on_remain():
    weights = torch.tensor([5.0, 1.0, 2.0])
    method = prepared(
        RandomLabel(remain_weight=2.0, batch_norm="frozen"), training_loss=torch.nn.CrossEntropyLoss(weight=weights)
    )
    batch = batch_of(small_items(), [0, 3, 7], [1, 2, 8, 9])
    wanted = labels_of(method)[1][[0, 3, 7]]
    losses = []
    for part, labels in (("forget", wanted), ("remain", batch["remain"]["label"])):
        logits = method.network(batch[part]["image"]).detach().double().numpy()
        chosen = np.exp(logits[range(len(labels)), labels]) / np.exp(logits).sum(1)
        weight = weights.numpy()[labels]
        losses.append((-np.log(chosen) * weight).sum() / weight.sum())
    np.testing.assert_allclose(method.loss(batch).item(), losses[0] + 2 * losses[1], rtol=1e-5)


def test_no_image_keeps_its_class_and_all_others_come_as_often():
    labels, found = labels_of(prepared(RandomLabel(), count=1200), 1200, classes=5)
    assert (found != labels).all()
    offsets = torch.bincount((found - labels) % 5, minlength=5)
    assert offsets[0] == 0
    assert (offsets[1:] - 300).abs().max() < 60  # four standard deviations


def test_the_draw_depends_on_seed_and_row_alone():
    first = labels_of(prepared(RandomLabel(), seed=3))[1]
    assert torch.equal(first, labels_of(prepared(RandomLabel(), seed=3))[1])
    assert torch.equal(first[:10], labels_of(prepared(RandomLabel(), seed=3, count=10), 10)[1])
    assert not torch.equal(first, labels_of(prepared(RandomLabel(), seed=4))[1])
    method, labels = prepared(RandomLabel(), seed=3), torch.tensor([item["label"] for item in small_items()])
    rows = torch.tensor([7, 2])
    assert torch.equal(method.other_labels(labels[rows], rows, classes=3), first[rows])


def test_with_two_classes_it_is_the_other_one():
    method = prepared(RandomLabel())
    labels = torch.arange(20) % 2
    assert torch.equal(method.other_labels(labels, torch.arange(20), classes=2), 1 - labels)


def test_it_repeats_resumes_and_runs_in_two_processes():
    assert_resumes_and_repeats(RandomLabel)
    assert_two_processes_share_a_step(lambda: RandomLabel(batch_norm="frozen"))
