from __future__ import annotations

import numpy as np
import psg_by_hand as by_hand
import pytest
import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import TargetRule

RANDOM = np.random.default_rng(4)
LOGITS = RANDOM.normal(0, 2, (40, 5))
CLASSES = np.where(RANDOM.random(40) < 0.5, LOGITS.argmax(1), RANDOM.integers(0, 5, 40))
CLEAN = RANDOM.normal(0, 2, (40, 5))


@pytest.mark.parametrize("runner_up", [False, True])
@pytest.mark.parametrize(("labels", "top_k"), [("hard", None), ("soft", None), ("soft", 1), ("soft", 3), ("soft", 9)])
def test_targets_and_loss_agree_with_the_equations(labels, top_k, runner_up):
    rule = TargetRule(labels=labels, top_k=top_k, unflipped="runner_up" if runner_up else "keep")
    found = rule.targets(torch.from_numpy(LOGITS), torch.from_numpy(CLASSES))
    expected = by_hand.targets(LOGITS, CLASSES, labels=labels, top_k=top_k, runner_up=runner_up)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-15)
    loss = rule.loss(torch.from_numpy(CLEAN), found).item()
    assert loss == pytest.approx(by_hand.cross_entropy(CLEAN, expected), rel=1e-12)


def test_runner_up_changes_the_targets_of_unflipped_images_alone():
    keep, runner_up = (
        TargetRule(unflipped=unflipped).targets(torch.from_numpy(LOGITS), torch.from_numpy(CLASSES)).numpy()
        for unflipped in ("keep", "runner_up")
    )
    stayed = LOGITS.argmax(1) == CLASSES
    assert stayed.any()
    assert not stayed.all()
    np.testing.assert_array_equal(keep[~stayed], runner_up[~stayed])
    assert (runner_up != CLASSES).all()


def test_raw_logits_are_compared_by_mean_squared_error():
    rule = TargetRule(labels="soft", logits="raw")
    found = rule.targets(torch.from_numpy(LOGITS), torch.from_numpy(CLASSES))
    np.testing.assert_array_equal(found.numpy(), LOGITS)
    assert rule.loss(torch.from_numpy(CLEAN), found).item() == pytest.approx(((CLEAN - LOGITS) ** 2).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": "medium"}, "labels: expected one of hard, soft, got 'medium'"),
        ({"logits": "raws"}, "logits: expected one of softmax, raw, got 'raws'. Did you mean 'raw'"),
        ({"unflipped": "runner-up"}, "unflipped: expected one of keep, runner_up, .* Did you mean 'runner_up'"),
        ({"labels": "soft", "top_k": 0}, "expected top_k to be at least 1, got 0"),
        ({"top_k": 3}, "top_k and logits: raw need labels: soft"),
        ({"logits": "raw"}, "top_k and logits: raw need labels: soft"),
        ({"labels": "soft", "logits": "raw", "top_k": 3}, "raw logits cannot be renormalised"),
        ({"labels": "soft", "logits": "raw", "unflipped": "runner_up"}, "raw logits cannot be renormalised"),
    ],
)
def test_refuses_contradictory_rules(wrong, message):
    with pytest.raises(ConfigError, match=message):
        TargetRule(**wrong)
