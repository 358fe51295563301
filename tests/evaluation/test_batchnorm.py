from __future__ import annotations

import torch
from torch import nn

from monai_unlearn.evaluation import has_running_statistics, predict, recalibrated


def items(shift: float, n: int = 128) -> list[dict]:
    generator = torch.Generator().manual_seed(0)
    return [{"image": torch.randn(2, 4, 4, generator=generator) * 2 + shift, "label": 0} for _ in range(n)]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.9), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def test_statistics_become_those_of_the_remain_images():
    data = items(shift=3)
    control = recalibrated(network(), data)
    pictures = torch.stack([item["image"] for item in data])
    mean, var = pictures.mean((0, 2, 3)), pictures.var((0, 2, 3))
    torch.testing.assert_close(control[0].running_mean, mean)
    # Two batches of 64: the average of their variances lacks the spread of their means.
    torch.testing.assert_close(control[0].running_var, var, rtol=0.02, atol=0)
    assert not control.training


def test_weights_and_the_network_itself_stay():
    original = network()
    original[0].weight.data.fill_(3)
    control = recalibrated(original, items(shift=3))
    assert original[0].running_mean.abs().sum() == 0
    assert torch.equal(control[0].weight, original[0].weight)


def test_undoes_drifted_statistics():
    """What looks like forgetting and is only drift goes away: the control's purpose."""
    data = items(shift=1)
    clean = recalibrated(network(), data)
    drifted = recalibrated(network(), items(shift=-40))
    apart = (predict(drifted, data).logits - predict(clean, data).logits).abs().max()
    together = (predict(recalibrated(drifted, data), data).logits - predict(clean, data).logits).abs().max()
    assert apart > 10
    assert together < 1e-5


def test_fewer_images_than_a_batch_are_enough():
    control = recalibrated(network(), items(shift=5, n=3))
    assert (control[0].running_mean - 5).abs().max() < 1.5


def test_only_batch_norm_with_statistics_counts():
    assert has_running_statistics(network())
    assert not has_running_statistics(nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False), nn.GroupNorm(1, 2)))
