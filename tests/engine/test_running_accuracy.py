from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_unlearn.engine.running_accuracy import WEIGHT, RunningAccuracy

# Predicts the class that an image's single pixel names.
NETWORK = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
NETWORK[1].weight.data, NETWORK[1].bias.data = torch.tensor([[-1.0], [1.0]]), torch.zeros(2)
BATCH = {
    "forget": {"image": torch.tensor([[1.0], [-1.0]]), "label": torch.tensor([1, 1])},
    "remain": {"image": torch.tensor([[1.0], [1.0], [-1.0]]), "label": torch.tensor([1, 1, 0])},
}


@pytest.mark.parametrize(
    "forward",
    [
        lambda forget, remain: (NETWORK(forget), NETWORK(remain)),
        lambda forget, remain: (NETWORK(remain[:]), NETWORK(forget[:])),
        lambda forget, remain: NETWORK(torch.cat([forget, remain])),
    ],
    ids=["one by one", "as views", "together"],
)
def test_forward_passes_on_whole_parts_are_counted(forward):
    running = RunningAccuracy()
    with running.over(NETWORK, BATCH):
        forward(BATCH["forget"]["image"], BATCH["remain"]["image"])
    assert running.accuracy == {"forget": 0.5, "remain": 1.0}


def test_newer_batches_have_a_fixed_weight():
    running = RunningAccuracy()
    for labels in (BATCH["forget"]["label"], torch.tensor([1, 0])):
        with running.over(NETWORK, {"forget": {**BATCH["forget"], "label": labels}}):
            NETWORK(BATCH["forget"]["image"])
    assert running.accuracy == {"forget": pytest.approx(0.5 + WEIGHT * 0.5)}


def test_parts_of_a_part_and_later_passes_are_not_counted():
    running = RunningAccuracy()
    with running.over(NETWORK, BATCH):
        NETWORK(BATCH["forget"]["image"][:1])
    NETWORK(BATCH["forget"]["image"])
    assert running.accuracy == {}


def test_a_part_that_a_step_leaves_out_has_no_accuracy_until_it_comes_back():
    running = RunningAccuracy()
    with running.over(NETWORK, BATCH):
        NETWORK(BATCH["forget"]["image"])
        NETWORK(BATCH["remain"]["image"])
    with running.over(NETWORK, {"remain": BATCH["remain"]}):
        NETWORK(BATCH["remain"]["image"])
    assert running.accuracy == {"remain": 1.0}
    relabelled = {"forget": {**BATCH["forget"], "label": torch.tensor([0, 0])}}
    with running.over(NETWORK, relabelled):
        NETWORK(BATCH["forget"]["image"])
    assert running.accuracy == {"forget": 0.5}
