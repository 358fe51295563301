from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from monai_unlearn.evaluation import has_running_statistics, predict, recalibrated
from monai_unlearn.evaluation.batchnorm import statistics, with_statistics


def items(shift: float, n: int = 128) -> list[dict]:
    generator = torch.Generator().manual_seed(0)
    return [{"image": torch.randn(2, 4, 4, generator=generator) * 2 + shift, "label": 0} for _ in range(n)]


class Recorded(Dataset):
    """Items, and which of them were asked for, in order."""

    def __init__(self, content: list[dict]):
        self.content = content
        self.asked: list[int] = []

    def __len__(self):
        return len(self.content)

    def __getitem__(self, row):
        self.asked.append(row)
        return self.content[row]

    def statistics(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and unbiased variance of each full batch of `size` images asked for, averaged over the batches."""
        images = torch.stack([self.content[row]["image"] for row in self.asked])
        batches = [images[start : start + size] for start in range(0, len(images) - size + 1, size)]
        means = [batch.double().mean((0, 2, 3)) for batch in batches]
        variances = [batch.double().var((0, 2, 3)) for batch in batches]
        return torch.stack(means).mean(0).float(), torch.stack(variances).mean(0).float()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.9), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def test_statistics_become_those_of_the_remain_images():
    data = items(shift=3)
    control = recalibrated(network(), data)
    images = torch.stack([item["image"] for item in data])
    mean, var = images.mean((0, 2, 3)), images.var((0, 2, 3))
    torch.testing.assert_close(control[0].running_mean, mean)
    # Two batches of 64: the average of their variances lacks the spread of their means.
    torch.testing.assert_close(control[0].running_var, var, rtol=0.02, atol=0)
    assert not control.training


@pytest.mark.parametrize("n", [65, 130])
def test_an_incomplete_last_batch_has_no_weight(n):
    """Counted as a batch, the one or two images left over would weigh as much as 64 others."""
    data = Recorded([{"image": torch.randn(2, 4, 4) + row, "label": 0} for row in range(n)])
    control = recalibrated(network(), data)
    mean, variance = data.statistics(64)
    torch.testing.assert_close(control[0].running_mean, mean)
    torch.testing.assert_close(control[0].running_var, variance)


@pytest.mark.parametrize(("max_images", "used"), [(None, 256), (128, 128), (1, 64), (1000, 256)])
def test_uses_about_as_many_images_as_allowed(max_images, used):
    data = Recorded(items(shift=3, n=256))
    control = recalibrated(network(), data, max_images=max_images)
    data.asked = data.asked[:used]
    mean, _ = data.statistics(64)
    torch.testing.assert_close(control[0].running_mean, mean)


@pytest.mark.parametrize(("images", "used"), [(1, 64), (256, 256), (300, 256), (130, 128)])
def test_more_images_than_there_are_take_several_passes_in_other_orders(images, used):
    data = Recorded(items(shift=3, n=130))
    recalibrated(network(), data, images=images)
    assert len(data.asked) == used
    first, second = data.asked[:128], data.asked[128:]
    assert len(set(first)) == min(used, 128)
    assert first != second


def test_the_seed_orders_the_images():
    orders = []
    for seed in (0, 0, 1):
        data = Recorded(items(shift=3))
        recalibrated(network(), data, seed=seed)
        orders.append(data.asked)
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(128))


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


def test_a_recalibrated_network_is_its_statistics():
    made = recalibrated(network(), items(shift=3))
    again = with_statistics(network(), statistics(made))
    assert list(statistics(again)) == ["0.running_mean", "0.running_var", "0.num_batches_tracked"]
    for name, value in made.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    assert [vars(one)["training"] for one in again.modules()] == [vars(one)["training"] for one in made.modules()]
    assert again[0].momentum is made[0].momentum is None


@pytest.mark.parametrize("wrong", [{}, {"0.running_mean": torch.zeros(2)}])
def test_statistics_of_another_network_are_refused(wrong):
    with pytest.raises(ValueError, match="expected the statistics of each BatchNorm"):
        with_statistics(network(), wrong)
