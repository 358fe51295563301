from __future__ import annotations

import json

import pytest
from bundle_run import BUNDLE
from zoo_classifiers import LAYOUTS, write_bundle

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay.facts import BundleFacts


@pytest.mark.parametrize("name", LAYOUTS)
def test_reads_each_layout(name, tmp_path):
    layout = LAYOUTS[name]()
    facts = BundleFacts.read(write_bundle(tmp_path / "bundle", layout, weights=False))
    assert not facts.is_own
    assert facts.config.path.stem == "inference"
    assert facts.preprocessing is not None
    assert facts.preprocessing.image_key == "image"
    heads = {"pathology_tumor": "sigmoid", "one_logit": "sigmoid", "several_labels": "multilabel"}
    assert facts.outputs.head == heads.get(name, "softmax")
    assert facts.outputs.names == layout.classes[1 if heads.get(name) == "sigmoid" else 0 :]
    assert facts.inputs["spatial_shape"] == list(layout.spatial) or name == "breast_density"


def test_a_bundle_of_ours_is_known_by_its_training():
    facts = BundleFacts.read(BUNDLE)
    assert facts.is_own
    assert facts.config.path.name == "train.yaml"
    assert facts.weights == "models/model.pt"


def test_weights_are_those_that_the_loader_names(tmp_path):
    write(tmp_path, load_path="$@bundle_root + '/models/best.pt'")
    assert BundleFacts.read(tmp_path).weights == "models/model.pt"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "best.pt").touch()
    assert BundleFacts.read(tmp_path).weights == "models/best.pt"


def test_a_config_that_is_named(tmp_path):
    write(tmp_path, load_path="x")
    assert BundleFacts.read(tmp_path, config="inference.json").training is None
    with pytest.raises(ConfigError, match="expected a config"):
        BundleFacts.read(tmp_path, config="other.json")


def test_without_a_config_there_is_nothing_to_read(tmp_path):
    write(tmp_path, load_path="x")
    (tmp_path / "configs" / "inference.json").unlink()
    with pytest.raises(ConfigError, match=r"expected inference.json or inference.yaml.*--config NAME"):
        BundleFacts.read(tmp_path)


def write(root, *, load_path):
    (root / "configs").mkdir()
    content = {"network_def": {"_target_": "Net"}, "loader": {"_target_": "CheckpointLoader", "load_path": load_path}}
    (root / "configs" / "inference.json").write_text(json.dumps(content))
    (root / "configs" / "metadata.json").write_text(json.dumps({"version": "1.0.0"}))
