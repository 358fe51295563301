from __future__ import annotations

import json

import pytest
import yaml

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.ensemble_config import as_ensemble, check_network_def, write_as_ensemble
from monai_unlearn.version import __version__

YAML = """\
# Predicts.
size: [8, 8]  # pixels

network_def:
  _target_: ResNet
  layers: [1, 1]
  num_classes: $len(@names)

# On a device that is there.
network: $@network_def.to(@device)
"""
OWN = {"_target_": "ResNet", "layers": [1, 1], "num_classes": "$len(@names)"}
ENSEMBLE = {"_target_": "monai_unlearn.methods.LogitEnsemble", "networks": [OWN, OWN]}


@pytest.mark.parametrize(
    "text",
    [
        YAML,
        YAML.replace("\n# On a device that is there.\nnetwork: $@network_def.to(@device)\n", ""),
        "network_def: {_target_: ResNet, layers: [1, 1], num_classes: $len(@names)}\nsize: 8\n",
    ],
)
def test_the_definition_is_there_twice_and_all_else_once(tmp_path, text):
    path = tmp_path / "inference.yaml"
    path.write_text(text, encoding="utf-8")
    found = as_ensemble(path)
    assert yaml.safe_load(found) == {**yaml.safe_load(text), "network_def": ENSEMBLE}
    assert "&id" not in found


def test_comments_stay(tmp_path):
    path = tmp_path / "inference.yaml"
    path.write_text(YAML, encoding="utf-8")
    found = as_ensemble(path)
    assert "# Predicts.\nsize: [8, 8]  # pixels\n\nnetwork_def:\n" in found
    assert "\n\n# On a device that is there.\nnetwork: $@network_def" in found


def test_json_and_configs_without_a_definition(tmp_path):
    path = tmp_path / "inference.json"
    path.write_text(json.dumps({"network_def": OWN, "size": 8}), encoding="utf-8")
    assert json.loads(as_ensemble(path)) == {"network_def": ENSEMBLE, "size": 8}
    for text in ("size: 8\n", "network_def: $build()\n"):
        other = tmp_path / "other.yaml"
        other.write_text(text, encoding="utf-8")
        assert as_ensemble(other) == text


def test_a_whole_bundle_and_its_metadata(tmp_path):
    (tmp_path / "configs").mkdir()
    metadata = {"version": "1.0.0", "required_packages_version": {"pydicom": "3.0.2"}}
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    (tmp_path / "configs" / "train.yaml").write_text(YAML, encoding="utf-8")
    check_network_def(tmp_path)
    write_as_ensemble(tmp_path)
    assert yaml.safe_load((tmp_path / "configs" / "train.yaml").read_text())["network_def"] == ENSEMBLE
    written = json.loads((tmp_path / "configs" / "metadata.json").read_text())
    assert written["required_packages_version"] == {"pydicom": "3.0.2", "monai-unlearn": __version__}


def test_a_bundle_that_cannot_name_one_is_refused(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "train.yaml").write_text("network_def: $build()\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no config defines network_def with a _target_.*Compose by splice"):
        check_network_def(tmp_path)
