from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.engine import Retraining
from monai_unlearn.engine import reference as reference_module
from monai_unlearn.engine.checkpoint import Checkpoints
from monai_unlearn.engine.reference import load_reference, retrain
from monai_unlearn.engine.training_record import images_digest
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import save_weights
from monai_unlearn.vocabulary.run_folder import RunFolder

DATA = SimpleNamespace(items=lambda parts, _split: [{"image_id": f"{part} image"} for part in parts])
ORIGINAL = nn.Linear(2, 2)


def saved(folder, *, value=1.0, **record):
    network = nn.Linear(2, 2)
    nn.init.constant_(network.weight, value)
    save_weights(network, folder / "weights.pt")
    if record:
        (folder / "training.json").write_text(json.dumps(record))
    return folder / "weights.pt"


def load(wanted, retrained=None):
    def refuse():
        pytest.fail("nothing is to be retrained")

    return load_reference(wanted, like=ORIGINAL, data=DATA, retrained=retrained or refuse)


@pytest.mark.parametrize("wanted", [None, ""])
def test_without_a_wish_there_is_no_reference(wanted):
    assert load(wanted) is None


def test_a_checkpoint_is_loaded_with_what_its_training_cost(tmp_path):
    record = {"parts": ["remain"], "images_digest": images_digest(DATA, ["remain"])}
    found = load(str(saved(tmp_path, **record, gradient_evaluations=50, seconds=1.5)))
    assert (found.source, found.gradient_evaluations, found.seconds) == ("weights.pt", 50, 1.5)
    assert torch.equal(found.network.weight, torch.ones(2, 2))
    assert not torch.equal(ORIGINAL.weight, torch.ones(2, 2))


def test_without_a_record_the_cost_is_unknown(tmp_path):
    found = load(str(saved(tmp_path)))
    assert (found.record, found.gradient_evaluations, found.seconds) == ({}, None, None)


def test_retraining_gives_the_reference(tmp_path):
    found = load("retrain", retrained=lambda: saved(tmp_path, gradient_evaluations=7))
    assert (found.source, found.gradient_evaluations) == ("retrain", 7)


def test_a_missing_file_is_refused():
    with pytest.raises(ConfigError, match="reference: there is no file nowhere.pt. Give --reference retrain"):
        load("nowhere.pt")


def test_the_original_weights_are_refused(tmp_path):
    save_weights(ORIGINAL, tmp_path / "weights.pt")
    with pytest.raises(ConfigError, match="holds the original weights themselves"):
        load(str(tmp_path / "weights.pt"))


def test_weights_trained_on_the_forget_part_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="training.json says .* a reference is trained on remain alone"):
        load(str(saved(tmp_path, parts=["forget", "remain"])))


@pytest.mark.parametrize("key", [{}, {"keyfile": "key"}])
def test_retraining_runs_the_training_config_on_the_remain_part(monkeypatch, tmp_path, key):
    calls = []

    class Workflow:
        def __init__(self, **options):
            calls.append(options)

        def initialize(self):
            calls.append("initialize")

        def run(self):
            calls.append("run")

    monkeypatch.setattr(reference_module, "ConfigWorkflow", Workflow)
    retraining = Retraining(
        configs=["train.yaml", "gpu.yaml"],
        bundle_root=str(tmp_path),
        index_dir="index",
        cohort_spec="spec.yaml",
        device="cpu",
        **key,
        overrides={"image_size": [8, 8]},
    )
    retraining.run(tmp_path / "out" / "model.pt")
    options, *steps = calls
    assert steps == ["initialize", "run"]
    assert options["config_file"] == [str(tmp_path / "configs" / name) for name in ("train.yaml", "gpu.yaml")]
    assert (options["run_id"], options["parts"], options["image_size"]) == ("train", ["remain"], [8, 8])
    assert options["checkpoint"] == str(tmp_path / "out" / "model.pt")
    # A training config that knows no key is not given one.
    assert {name: value for name, value in options.items() if name == "keyfile"} == key


def test_the_reference_of_a_killed_run_is_not_trained_again(tmp_path):
    trained = []

    def train(checkpoint):
        trained.append(checkpoint)
        checkpoint.write_bytes(b"weights")
        checkpoint.with_name("training.json").write_text("{}")

    retraining = SimpleNamespace(run=train, seed=7)
    for name in ("killed", "resumed"):
        results = RunFolder(tmp_path / name)
        found = retrain(retraining, results, Checkpoints(tmp_path / ".checkpoint", {}))
        assert found == results.reference(7) / "model.pt"
        assert found.read_bytes() == b"weights"
        assert found.with_name("training.json").is_file()
    assert len(trained) == 1


@pytest.mark.parametrize(
    ("config", "overrides", "seed"),
    [("seed: 3", {}, 3), ("seed: 3", {"seed": 5}, 5), ("seed: $1", {}, 0), ("a: 1", {}, 0)],
)
def test_the_seed_is_that_of_the_training(config, overrides, seed, tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "train.yaml").write_text(config)
    places = {"bundle_root": str(tmp_path), "index_dir": "index", "cohort_spec": "spec.yaml", "device": "cpu"}
    assert Retraining(configs=["train.yaml"], **places, overrides=overrides).seed == seed
