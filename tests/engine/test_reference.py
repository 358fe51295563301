from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.data.earlier import Earlier
from monai_unlearn.engine import Retraining
from monai_unlearn.engine import reference as reference_module
from monai_unlearn.engine.checkpoint import Checkpoints
from monai_unlearn.engine.reference import WantedReferences, load_references, retrain
from monai_unlearn.engine.training_record import images_digest
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import save_weights, weights_digest
from monai_unlearn.vocabulary.run_folder import RunFolder

DATA = SimpleNamespace(items=lambda parts, _split: [{"image_id": f"{part} image"} for part in parts], earlier=Earlier())
ORIGINAL = nn.Linear(2, 2)


def saved(folder, *, value=1.0, **record):
    network = nn.Linear(2, 2)
    nn.init.constant_(network.weight, value)
    save_weights(network, folder / "weights.pt")
    if record:
        record = {"weights_digest": weights_digest(network.state_dict()), **record}
        (folder / "training.json").write_text(json.dumps(record))
    return folder / "weights.pt"


def load(wanted, retrained=None, *, seeds=1, original=None):
    def refuse(_seed):
        pytest.fail("nothing is to be retrained")

    record = original or {}
    named = WantedReferences.read(wanted, seeds, record)
    return load_references(named, like=ORIGINAL, data=DATA, record=record, retrained=retrained or refuse)


@pytest.mark.parametrize("wanted", [None, "", []])
def test_without_a_wish_there_is_no_reference(wanted):
    assert load(wanted) == ()
    assert not WantedReferences.read(wanted, 3, {})


@pytest.mark.parametrize("wanted", [["a.pt", "b.pt"], "[a.pt, b.pt]", "['a.pt', 'b.pt']"])
def test_several_files_can_be_wanted(wanted):
    assert WantedReferences.read(wanted, 3, {}).files == ("a.pt", "b.pt")


@pytest.mark.parametrize(("record", "seeds"), [({}, (1, 2, 3)), ({"seed": None}, (1, 2, 3)), ({"seed": 4}, (5, 6, 7))])
def test_the_seeds_follow_on_that_of_the_original(record, seeds):
    assert WantedReferences.read("retrain", 3, record) == WantedReferences(seeds=seeds)


@pytest.mark.parametrize(
    ("wanted", "count", "message"),
    [
        ("retrain", 0, "reference_seeds: expected a whole number of at least 1, got 0"),
        ("retrain", "many", "reference_seeds: expected a whole number of at least 1, got many"),
        (["a.pt", "a.pt"], 3, "reference: expected different files of weights, got a.pt, a.pt"),
        (["a.pt", "retrain"], 3, "reference: expected different files of weights"),
        (3, 3, "reference: expected retrain, a file or a list of files, got 3"),
    ],
)
def test_what_names_no_reference_is_refused(wanted, count, message):
    with pytest.raises(ConfigError, match=message):
        WantedReferences.read(wanted, count, {})


def test_each_reference_has_other_weights(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    trained = {1: saved(tmp_path / "a", seed=1), 2: saved(tmp_path / "b", value=2.0, seed=2)}
    found = load("retrain", retrained=trained.__getitem__, seeds=2)
    assert [one.seed for one in found] == [1, 2]
    with pytest.raises(ConfigError, match="two references have the same weights.* check that the training config uses"):
        load("retrain", retrained=lambda _seed: trained[1], seeds=2)


def test_a_reference_of_another_recipe_is_refused(tmp_path):
    record = {"parts": ["remain"], "images_digest": images_digest(DATA, ["remain"]), "recipe": {"max_epochs": 2}}
    path = str(saved(tmp_path, **record))
    assert len(load(path, original={"recipe": {"max_epochs": 2}})) == 1
    with pytest.raises(ConfigError, match=r"another recipe than the original: max_epochs \(3 there, 2 here\)"):
        load(path, original={"recipe": {"max_epochs": 3}})


def test_a_checkpoint_is_loaded_with_what_its_training_cost(tmp_path):
    record = {"parts": ["remain"], "images_digest": images_digest(DATA, ["remain"])}
    (found,) = load(str(saved(tmp_path, **record, gradient_evaluations=50, seconds=1.5)))
    assert (found.source, found.gradient_evaluations, found.seconds) == ("weights.pt", 50, 1.5)
    assert torch.equal(found.network.weight, torch.ones(2, 2))
    assert not torch.equal(ORIGINAL.weight, torch.ones(2, 2))


def test_without_a_record_the_cost_is_unknown(tmp_path):
    (found,) = load(str(saved(tmp_path)))
    assert (found.record, found.gradient_evaluations, found.seconds) == ({}, None, None)


def test_retraining_gives_the_reference(tmp_path):
    (found,) = load("retrain", retrained=lambda _seed: saved(tmp_path, gradient_evaluations=7))
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


@pytest.mark.parametrize(
    ("key", "training", "kept"),
    [
        ({}, "a: 1", None),
        ({"keyfile": "key"}, "snapshots: 3", 0),
        ({"keyfile": "key", "lineage_members": "members"}, "a: 1", None),
    ],
)
def test_retraining_runs_the_training_config_on_the_remain_part(monkeypatch, tmp_path, key, training, kept):
    calls = []
    (tmp_path / "configs").mkdir()
    for name, text in {"train.yaml": training, "gpu.yaml": "b: 1", "metadata.json": "{}"}.items():
        (tmp_path / "configs" / name).write_text(text)

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
    retraining.run(tmp_path / "out" / "model.pt", seed=7)
    options, *steps = calls
    assert steps == ["initialize", "run"]
    assert options["config_file"] == [str(tmp_path / "configs" / name) for name in ("train.yaml", "gpu.yaml")]
    assert (options["run_id"], options["parts"], options["image_size"]) == ("train", ["remain"], [8, 8])
    assert (options["checkpoint"], options["seed"]) == (str(tmp_path / "out" / "model.pt"), 7)
    assert options.get("snapshots") == kept  # a reference keeps none
    # A training config that knows no key is not given one.
    assert {name: value for name, value in options.items() if name in {"keyfile", "lineage_members"}} == key


def test_the_reference_of_a_killed_run_is_not_trained_again(tmp_path):
    trained = []

    def train(checkpoint, *, seed):
        trained.append(seed)
        checkpoint.write_bytes(b"weights")
        checkpoint.with_name("training.json").write_text("{}")

    retraining = SimpleNamespace(run=train)
    for name in ("killed", "resumed"):
        results = RunFolder(tmp_path / name)
        for seed in (1, 2):
            found = retrain(retraining, results, Checkpoints(tmp_path / ".checkpoint", {}), seed=seed)
            assert found == results.reference(seed) / "model.pt"
            assert found.read_bytes() == b"weights"
            assert found.with_name("training.json").is_file()
    assert trained == [1, 2]
