from __future__ import annotations

import json
import shutil

import pytest
import yaml
from bundle_walk import BUNDLES
from monai.bundle import ConfigParser
from zoo_classifiers import LAYOUTS, write_bundle, write_data

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay import init_overlay as module
from monai_unlearn.experiments.overlay.init_overlay import init_overlay
from monai_unlearn.experiments.overlay.settings import Choices


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_bundles_of_this_repository_have_what_is_written(bundle, tmp_path):
    own = (bundle / "configs" / "unlearn.yaml").read_bytes()
    root = tmp_path / bundle.name
    shutil.copytree(bundle, root)
    (root / "configs" / "unlearn.yaml").unlink()
    healthy = tuple(yaml.safe_load(own)["decision"]["healthy_classes"])
    document = init_overlay(root, choices=Choices(healthy=healthy), tries=False)
    assert document["problems"] == []
    assert (root / "configs" / "unlearn.yaml").read_bytes() == own
    assert document["command"].startswith(
        f"python -m monai.bundle run unlearn --config_file {root}/configs/unlearn.yaml "
    )
    assert not (root / "configs" / "train_reference.yaml").exists()


@pytest.fixture
def made(tmp_path):
    """A bundle of the layout with a training config, and an index of its images."""
    layout = LAYOUTS["endoscopic_inbody"]()
    return write_bundle(tmp_path / "bundle", layout, weights=False), write_data(tmp_path, layout)


def fake(monkeypatch, report):
    asked = []
    monkeypatch.setattr(module, "try_configs", lambda request: asked.append(request) or report)
    return asked


def test_what_the_trial_shows_is_used(made, monkeypatch):
    root, index = made
    found = {"failed": {}, "outputs": [{"name": 0, "shape": [1, 9]}, {"name": 1, "shape": [1, 2]}], "input": None}
    (asked,) = [fake(monkeypatch, found)]
    document = init_overlay(root, choices=Choices(), index=index)
    content = yaml.safe_load((root / "configs" / "unlearn.yaml").read_text())
    assert content["network_output"] == 1
    assert "of which 1 is taken as the logits" in next(
        one["what"] for one in document["notes"] if one["code"] == "output"
    )
    assert document["written"] == [str(root / "configs" / name) for name in ("unlearn.yaml", "train_reference.yaml")]
    assert asked[0]["configs"][0] == str(root / "configs" / "inference.json")
    assert asked[0]["training"][0] == str(root / "configs" / "train.json")
    assert asked[0]["item"]["image"].endswith(".png")
    assert asked[0]["checkpoint"] is None
    assert "train_reference.yaml" in document["training_command"]
    assert json.loads(json.dumps(document)) == document


def test_inputs_are_compared_with_pixels_after_the_normalisation(made, monkeypatch):
    root, index = made
    path = root / "configs" / "inference.json"
    content = json.loads(path.read_text())
    (step,) = (one for one in content["preprocessing"]["transforms"] if "Normalize" in one["_target_"])
    step |= {"subtrahend": "@means", "divisor": [0.25, 0.25, 0.25]}
    path.write_text(json.dumps({**content, "means": [0.5, 0.5, 0.5]}))
    found = {"failed": {}, "outputs": [{"name": None, "shape": [1, 2]}], "input": {"low": -1.9, "high": 1.9}}
    fake(monkeypatch, found)
    document = init_overlay(root, choices=Choices(), index=index)
    assert "pixel_range" not in {one["code"] for one in document["notes"]}


def test_of_several_outputs_that_fit_the_user_names_one(made, monkeypatch):
    root, index = made
    fake(monkeypatch, {"failed": {}, "outputs": [{"name": name, "shape": [1, 2]} for name in ("aux", "main")]})
    document = init_overlay(root, choices=Choices(), index=index)
    assert [one["code"] for one in document["problems"]] == ["several_outputs"]
    assert document["written"] == []
    document = init_overlay(root, choices=Choices(output="main"), index=index)
    assert document["problems"] == []
    assert yaml.safe_load((root / "configs" / "unlearn.yaml").read_text())["network_output"] == "main"


def test_the_command_that_trains_spares_the_weights_of_the_bundle(made):
    root, _ = made
    document = init_overlay(root, choices=Choices(), tries=False)
    assert document["training_command"].endswith("--index_dir INDEX")
    (root / "models" / "model.pt").write_bytes(b"")
    document = init_overlay(root, choices=Choices(), tries=False, force=True)
    assert document["training_command"].endswith("--index_dir INDEX --checkpoint WEIGHTS")


def test_training_that_fails_is_left_out_and_named(made, monkeypatch):
    root, index = made
    fake(monkeypatch, {"failed": {"training": "TypeError: x"}, "outputs": [{"name": None, "shape": [1, 2]}]})
    document = init_overlay(root, choices=Choices(), index=index)
    assert not (root / "configs" / "train_reference.yaml").exists()
    (one,) = (one for one in document["notes"] if one["code"] == "no_training")
    assert "one step on the first image fails: TypeError: x" in one["what"]
    content = yaml.safe_load((root / "configs" / "unlearn.yaml").read_text())
    assert content["training_configs"] == []
    # What a method says of training's rate, it does with the rate that stands for it.
    method = {"_target_": "monai_unlearn.methods.ShrinkPerturb", "rate": 0.5}
    parsed = ConfigParser({"learning_rate": content["learning_rate"], "train": {"method": method}})
    assert parsed.get_parsed_content("learning_rate") == 0.0005


def test_training_is_for_the_head_that_the_trial_shows(made, monkeypatch):
    root, index = made
    fake(monkeypatch, {"failed": {"training": "IndexError: x"}, "outputs": [{"name": None, "shape": [1, 1]}]})
    document = init_overlay(root, choices=Choices(), index=index)
    assert (document["problems"], document["head"]) == ([], "sigmoid")
    content = yaml.safe_load((root / "configs" / "train_reference.yaml").read_text())
    run = next(value for name, value in content.items() if name in ("train", "train::run"))
    assert run.get("run", run)["head"] == "sigmoid"
    assert any(name.endswith("::prepare_batch") for name in content)


def test_columns_named_like_the_outputs_do_not_say_that_there_are_several_labels(made, monkeypatch):
    root, index = made
    path = root / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    content["network_data_format"]["outputs"]["pred"]["channel_def"] = {"0": "image_id"}
    path.write_text(json.dumps(content))
    fake(monkeypatch, {"failed": {}, "outputs": [{"name": None, "shape": [1, 1]}]})
    monkeypatch.setattr("monai_unlearn.experiments.overlay.classes._count", lambda _network: None)
    monkeypatch.setattr("monai_unlearn.experiments.overlay.classes._head", lambda *_: "multilabel")
    document = init_overlay(root, choices=Choices(), index=index)
    assert document["head"] == "sigmoid"


def test_nothing_is_written_where_something_stops(made, monkeypatch):
    root, index = made
    fake(monkeypatch, {"failed": {"network": "ImportError: no torchvision"}})
    document = init_overlay(root, choices=Choices(), index=index)
    assert document["written"] == []
    assert document["command"] is None
    assert [one["code"] for one in document["problems"]] == ["dry_run_network"]
    assert sorted(path.name for path in (root / "configs").iterdir()) == [
        "inference.json",
        "metadata.json",
        "train.json",
    ]


def test_one_logit_that_only_the_trial_shows(made, monkeypatch):
    root, index = made
    fake(monkeypatch, {"failed": {}, "outputs": [{"name": None, "shape": [1, 1]}]})
    init_overlay(root, choices=Choices(), index=index)
    assert yaml.safe_load((root / "configs" / "unlearn.yaml").read_text())["head"] == "sigmoid"


def test_an_overlay_that_is_there_stays(made):
    root, _ = made
    path = root / "configs" / "unlearn.yaml"
    path.write_text("mine: true\n")
    with pytest.raises(ConfigError, match=r"unlearn.yaml is there already, and nothing was changed. Give --force"):
        init_overlay(root, choices=Choices(), tries=False)
    assert path.read_text() == "mine: true\n"
    init_overlay(root, choices=Choices(), tries=False, force=True)
    assert "mine" not in path.read_text()


def test_an_earlier_training_overlay_goes_where_there_is_none_any_more(made):
    root, _ = made
    init_overlay(root, choices=Choices(), tries=False)
    (root / "configs" / "train.json").unlink()
    init_overlay(root, choices=Choices(), tries=False, force=True)
    assert not (root / "configs" / "train_reference.yaml").exists()


def test_an_id_that_means_something_else_is_named(made):
    root, _ = made
    path = root / "configs" / "inference.json"
    content = json.loads(path.read_text())
    content |= {"steps": 16}
    content["preprocessing"]["transforms"][2]["spatial_size"] = "$[@steps, @steps]"
    path.write_text(json.dumps(content))
    document = init_overlay(root, choices=Choices(), tries=False)
    assert [one["code"] for one in document["problems"]] == ["taken_ids"]
    assert "use steps, which mean something else" in document["problems"][0]["what"]


def test_code_of_the_bundle_does_not_run_without_a_trial(made, tmp_path):
    root, _ = made
    path, spy = root / "configs" / "inference.json", tmp_path / "spy"
    content = json.loads(path.read_text())
    content["network_def"]["in_channels"] = f"$open({str(spy)!r}, 'w') and 3"
    path.write_text(json.dumps(content))
    init_overlay(root, choices=Choices(), tries=False)
    assert not spy.exists()


@pytest.mark.parametrize(("shape", "expected"), [(["*", 32], [3, 64, 32]), ("any", [3, 64, 64])])
def test_shapes_of_metadata_that_are_no_numbers(made, monkeypatch, shape, expected):
    root, _ = made
    path = root / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    content["network_data_format"]["inputs"]["image"]["spatial_shape"] = shape
    path.write_text(json.dumps(content))
    asked = fake(monkeypatch, {"failed": {}, "outputs": [{"name": None, "shape": [1, 2]}]})
    init_overlay(root, choices=Choices())
    assert asked[0]["shape"] == expected
    assert asked[0]["item"] is None
