from __future__ import annotations

import json

import pytest
import yaml

from monai_unlearn.release.config_text import edited, read_config, with_settings

YAML = """\
# a comment
net:
  _target_: Net  # of ours
  pretrained: true  # from elsewhere
flow: {_target_: f, url: "https://x"}
block: >
  https://x
  y
list:
- pretrained: yes
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "train.yaml"
    path.write_text(YAML)
    return path


def test_yaml_keeps_its_comments(config):
    assert edited(config, {("net", "pretrained"): False}) == YAML.replace("pretrained: true", "pretrained: false")
    assert edited(config, {("flow", "url"): None}) == YAML.replace('"https://x"', "null")
    assert edited(config, {("list", 0, "pretrained"): False}) == YAML.replace(": yes", ": false")


@pytest.mark.parametrize("where", [("net", "_disabled_"), ("flow", "_disabled_"), ("list", 0, "_disabled_")])
def test_a_key_is_added(config, where):
    text = edited(config, {where: True})
    content = yaml.safe_load(YAML)
    section = content
    for key in where[:-1]:
        section = section[key]
    section["_disabled_"] = True
    assert yaml.safe_load(text) == content
    assert "# of ours" in text


def test_text_that_cannot_be_changed_in_its_place_is_written_anew(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("base: &base {pretrained: true}\nnet:\n  <<: *base\n  size: 3\n")
    content = yaml.safe_load(edited(path, {("net", "pretrained"): False}))
    assert content["net"] == {"pretrained": False, "size": 3}


def test_block_scalars_are_replaced(config):
    assert yaml.safe_load(edited(config, {("block",): None})) == {**yaml.safe_load(YAML), "block": None}


def test_settings_in_json(tmp_path):
    path = tmp_path / "train.json"
    content = {"image_size": [64, 64], "split": "@elsewhere", "class_names": ["a"], "decision": {"healthy": ["a"]}}
    path.write_text(json.dumps(content))
    settings = {"image_size": [16, 16], "split": {"seed": 3}, "class_names": ["b"], "decision::healthy": ["b"], "c": 1}
    found = json.loads(with_settings(path, settings))
    assert found == {**content, "image_size": [16, 16], "decision": {"healthy": ["b"]}}


def test_json_that_says_the_same_keeps_its_bytes(tmp_path):
    path = tmp_path / "train.json"
    path.write_text('{"image_size":   [64, 64]}')
    assert with_settings(path, {"image_size": [64, 64], "missing": 3}) == '{"image_size":   [64, 64]}'


def test_what_is_no_config_is_none(tmp_path):
    for name, text in (("a.json", "{"), ("a.yaml", "a: ["), ("b.yaml", "!!python/object:os.system x")):
        (tmp_path / name).write_text(text)
        assert read_config(tmp_path / name) is None
    assert read_config(tmp_path / "missing.yaml") is None
