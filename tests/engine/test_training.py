from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from ignite.engine import Engine
from torch import nn

from monai_unlearn.data.earlier import Earlier
from monai_unlearn.data.pixel_digest import PixelCheck
from monai_unlearn.engine import train, training
from monai_unlearn.errors import ConfigError, TrainingError
from monai_unlearn.release import check_sums, load_weights, weights_digest, write_sums

DATA = SimpleNamespace(
    index_digest="sha256:1",
    cohort=None,
    class_names=("up", "down"),
    names=("up", "down"),
    earlier=Earlier(),
    split_rule=SimpleNamespace(to_dict=lambda: {"seed": 0}),
    items=lambda parts, split: [
        {"image_id": f"{part} {split} {row}", "image": None} for part in parts for row in range(5)
    ],
    pixels=PixelCheck(),
)


def trainer(step):
    """An engine over two batches of 4 and 1 images, for three epochs."""
    network = nn.Linear(2, 2)
    engine = Engine(lambda _engine, batch: step(network, batch))
    batches = [{"image": torch.zeros(4, 2)}, {"image": torch.zeros(1, 2)}]
    run = engine.run
    engine.run = lambda: run(batches, max_epochs=3)
    engine.network = network
    return engine


def test_weights_and_their_record_are_written(tmp_path):
    def step(network, _batch):
        with torch.no_grad():
            network.bias += 1

    made = trainer(step)
    returned = train(trainer=made, data=DATA, checkpoint=tmp_path / "models" / "model.pt", parts=["remain"])
    record = json.loads((tmp_path / "models" / "training.json").read_text())
    assert record == returned
    assert record["gradient_evaluations"] == 3 * (4 + 1)
    assert (record["images"], record["epochs"], record["parts"]) == (5, 3, ["remain"])
    assert (record["split"], record["spec_digest"], record["class_names"]) == ({"seed": 0}, None, ["up", "down"])
    loaded = load_weights(nn.Linear(2, 2), tmp_path / "models" / "model.pt")
    assert torch.equal(loaded.bias, made.network.bias)
    assert record["weights_digest"] == weights_digest(loaded.state_dict())


def test_a_release_keeps_sums_that_match_what_training_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "bundle_root", lambda: str(tmp_path))
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "train.yaml").write_text("a: 1")
    (tmp_path / "models").mkdir()
    write_sums(tmp_path)
    train(trainer=trainer(lambda *_: None), data=DATA, checkpoint=tmp_path / "models" / "model.pt", parts=["remain"])
    check_sums(tmp_path)
    (tmp_path / "configs" / "train.yaml").write_text("a: 2")
    with pytest.raises(ConfigError, match="train.yaml has the digest"):
        train(trainer=trainer(lambda *_: None), data=DATA, checkpoint=tmp_path / "model.pt", parts=["remain"])


def test_how_it_was_trained_is_recorded(tmp_path, monkeypatch):
    config = {"seed": 3, "learning_rate": 0.1, "index_dir": "private", "train": {"loss": {"weight": [1, 2]}}}
    monkeypatch.setattr(training, "executed_config", lambda: config)
    train(trainer=trainer(lambda *_: None), data=DATA, checkpoint=tmp_path / "model.pt", parts=["remain"])
    record = json.loads((tmp_path / "training.json").read_text())
    assert record["recipe"] == {"learning_rate": 0.1, "train::loss::weight::0": 1, "train::loss::weight::1": 2}
    assert record["seed"] == 3


@pytest.mark.parametrize(("place", "named"), [("models/model.pt", True), ("elsewhere/model.pt", False)])
def test_the_weights_of_the_bundle_bring_their_classes_into_its_metadata(tmp_path, monkeypatch, place, named):
    monkeypatch.setattr(training, "bundle_root", lambda: str(tmp_path))
    (tmp_path / "configs").mkdir()
    pred = {"num_channels": 1, "channel_def": {"0": "other"}}
    metadata = {"version": "1.0.0", "network_data_format": {"outputs": {"pred": pred}}}
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps(metadata))
    train(trainer=trainer(lambda *_: None), data=DATA, checkpoint=tmp_path / place, parts=["remain"])
    found = json.loads((tmp_path / "configs" / "metadata.json").read_text())
    expected = {"num_channels": 2, "channel_def": {"0": "up", "1": "down"}} if named else pred
    assert found["network_data_format"]["outputs"]["pred"] == expected


def test_weights_that_training_did_not_write_are_not_replaced(tmp_path):
    path = tmp_path / "models" / "model.pt"
    path.parent.mkdir()
    torch.save(nn.Linear(2, 2).state_dict(), path)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"model.pt holds weights that no training record .* \(--checkpoint FILE\)"):
        train(trainer=trainer(lambda *_: None), data=DATA, checkpoint=path, parts=["remain"])
    assert path.read_bytes() == before
    for _ in range(2):  # its own it replaces
        train(trainer=trainer(lambda *_: None), data=DATA, checkpoint=tmp_path / "model.pt", parts=["remain"])


def test_one_logit_stays_one_channel(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "bundle_root", lambda: str(tmp_path))
    (tmp_path / "configs").mkdir()
    pred = {"num_channels": 1, "channel_def": {"0": "down"}}
    metadata = {"version": "1.0.0", "network_data_format": {"outputs": {"pred": pred}}}
    path = tmp_path / "configs" / "metadata.json"
    path.write_text(json.dumps(metadata))
    given = {"data": DATA, "checkpoint": tmp_path / "models" / "model.pt", "parts": ["remain"]}
    train(trainer=trainer(lambda *_: None), head="sigmoid", **given)
    assert json.loads(path.read_text())["network_data_format"]["outputs"]["pred"] == pred
    with pytest.raises(ConfigError, match="head"):
        train(trainer=trainer(lambda *_: None), head="one", **given)


def test_no_identifier_is_written(tmp_path):
    train(trainer=trainer(lambda *_: None), data=DATA, checkpoint=tmp_path / "model.pt", parts=["remain"])
    for path in tmp_path.iterdir():
        assert b"remain train" not in path.read_bytes()


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    def step(network, _batch):
        network.bias.data[0] = float("nan")

    with pytest.raises(TrainingError, match="'bias' is not finite"):
        train(trainer=trainer(step), data=DATA, checkpoint=tmp_path / "model.pt", parts=["remain"])
    assert list(tmp_path.iterdir()) == []
