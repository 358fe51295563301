from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from bundle_run import run
from monai.data import Dataset
from monai.networks.nets import ResNet
from monai.transforms import RandAxisFlipd
from tiny import tiny_index
from torch import nn
from torch.utils.data import DataLoader

from monai_unlearn.engine.last_batch import leave_out_single_image

CONVOLUTION = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten())
POOLED = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten())


def trainer(network, *, images=9, batch_size=4, drop_last=False):
    """What is needed of a trainer; images of 8 x 8 pixels."""
    loader = DataLoader([{"image": torch.rand(1, 8, 8)}] * images, batch_size=batch_size, drop_last=drop_last)
    return SimpleNamespace(data_loader=loader, network=network, state=SimpleNamespace(epoch_length=len(loader)))


def test_a_single_image_that_cannot_be_trained_on_is_left_out(capsys):
    made = trainer(POOLED)
    before = {name: value.clone() for name, value in POOLED.state_dict().items()}
    torch.manual_seed(0)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert leave_out_single_image(made)
    assert torch.equal(torch.rand(1), drawn)
    assert made.state.epoch_length == len(list(made.data_loader)) == 2
    assert all(torch.equal(value, before[name]) for name, value in POOLED.state_dict().items())
    assert "each epoch leaves it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("network", "changed"),
    [
        (CONVOLUTION, {}),
        (POOLED, {"images": 10}),
        (POOLED, {"images": 8}),
        (POOLED, {"images": 1}),
        (POOLED, {"drop_last": True}),
        (ResNet("basic", [1, 1, 1, 1], [4, 4, 4, 4], 2, 1, num_classes=2), {"images": 10}),
    ],
)
def test_otherwise_nothing_changes(network, changed):
    made = trainer(network, **changed)
    batches = len(list(made.data_loader))
    assert not leave_out_single_image(made)
    assert made.state.epoch_length == len(list(made.data_loader)) == batches


def test_the_augmentation_of_training_draws_as_before():
    def made():
        transform = RandAxisFlipd(keys="image", prob=0.5)
        loader = DataLoader(Dataset([{"image": torch.rand(1, 8, 8)}] * 9, transform), batch_size=4)
        transform.set_random_state(seed=0)  # composing it draws a seed
        return SimpleNamespace(data_loader=loader, network=POOLED, state=SimpleNamespace(epoch_length=3)), transform

    (one, first), (_, second) = made(), made()
    assert leave_out_single_image(one)
    assert first.R.random() == second.R.random()


def test_a_trainer_without_a_loader_is_left_alone():
    assert not leave_out_single_image(SimpleNamespace(network=POOLED))


def test_a_bundle_is_trained_where_one_image_is_over(tmp_path):
    tiny_index(tmp_path)
    settings = {"index_dir": str(tmp_path / "index"), "checkpoint": str(tmp_path / "model.pt"), "max_epochs": 2}
    run("train", "train.yaml", **settings)
    images = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))["images"]
    run("train", "train.yaml", **settings, batch_size=images - 1)
    record = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))
    assert (record["gradient_evaluations"], record["epochs"]) == (2 * (images - 1), 2)
