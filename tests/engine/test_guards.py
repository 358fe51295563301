from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from torch import nn

from monai_unlearn.engine.guards import check_fits
from monai_unlearn.errors import ConfigError, DataError


def check(network=None, *, labels=(0, 1), forget=1, remain=1, channels=3):
    data = SimpleNamespace(frame=pd.DataFrame({"class_index": labels}), class_names=("up", "down"))
    image = {"image": torch.zeros(channels, 2, 2), "label": 0}
    subsets = {("forget", "train"): [image] * forget, ("remain", "train"): [image] * remain}
    check_fits(network or reads(2), data=data, subsets=subsets, device="cpu")


def reads(classes):
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, classes))


def test_what_fits_passes_and_the_network_stays_as_it_was():
    network = reads(2).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    check(network)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("part", ["forget", "remain"])
def test_refuses_an_empty_part(part):
    with pytest.raises(DataError, match=f"the {part} part has no training image"):
        check(**{part: 0})


@pytest.mark.parametrize(("labels", "named"), [((0, 2), 2), ((-1, 1), -1)])
def test_refuses_a_label_out_of_range(labels, named):
    with pytest.raises(DataError, match=f"a label is class number {named}; there are 2 classes, up, down"):
        check(labels=labels)


def test_refuses_a_network_with_other_outputs():
    with pytest.raises(ConfigError, match=r"expected outputs of shape \(1, 2\) .* got \(1, 3\)"):
        check(reads(3))


def test_refuses_a_network_that_cannot_read_the_pictures():
    with pytest.raises(ConfigError, match=r"cannot read a picture of shape \(1, 2, 2\)"):
        check(channels=1)
