from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.engine.running_accuracy import WEIGHT, RunningAccuracy

# Reads an image as the class that its single pixel names.
NETWORK = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
NETWORK[1].weight.data, NETWORK[1].bias.data = torch.tensor([[-1.0], [1.0]]), torch.zeros(2)
BATCH = {
    "forget": {"image": torch.tensor([[1.0], [-1.0]]), "label": torch.tensor([1, 1])},
    "remain": {"image": torch.tensor([[1.0], [1.0], [-1.0]]), "label": torch.tensor([1, 1, 0])},
}


@pytest.mark.parametrize(
    "read",
    [
        lambda forget, remain: (NETWORK(forget), NETWORK(remain)),
        lambda forget, remain: (NETWORK(remain[:]), NETWORK(forget[:])),
        lambda forget, remain: NETWORK(torch.cat([forget, remain])),
    ],
    ids=["one by one", "as views", "together"],
)
def test_what_the_network_reads_anyway_is_counted(read):
    watch = RunningAccuracy()
    with watch.over(NETWORK, BATCH):
        read(BATCH["forget"]["image"], BATCH["remain"]["image"])
    assert watch.accuracy == {"forget": 0.5, "remain": 1.0}


def test_newer_batches_count_for_a_share():
    watch = RunningAccuracy()
    for labels in (BATCH["forget"]["label"], torch.tensor([1, 0])):
        with watch.over(NETWORK, {"forget": {**BATCH["forget"], "label": labels}}):
            NETWORK(BATCH["forget"]["image"])
    assert watch.accuracy == {"forget": pytest.approx(0.5 + WEIGHT * 0.5)}


def test_what_is_no_whole_part_or_comes_later_is_left_out():
    watch = RunningAccuracy()
    with watch.over(NETWORK, BATCH):
        NETWORK(BATCH["forget"]["image"][:1])
    NETWORK(BATCH["forget"]["image"])
    assert watch.accuracy == {}
