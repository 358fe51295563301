from __future__ import annotations

import json
import re

import pytest
from bundle_walk import BUNDLES

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.run_configs import check_parts_of_method, run_configs

OVERLAY = "network: $@network_def.to(@device)\nsame: $torch.eye(2) @ torch.eye(2)\nclasses: '@_meta_::labels'\n"


@pytest.fixture
def configs(tmp_path):
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "metadata.json").write_text('{"device": 1, "network_def": 2}', encoding="utf-8")
    return folder


def test_a_bundle_of_ours_has_one_config_that_is_whole():
    for bundle in BUNDLES:
        config = bundle / "configs" / "unlearn.yaml"
        assert run_configs(bundle) == run_configs(config) == [config]


def test_an_overlay_lies_over_the_config_that_defines_what_it_uses(configs):
    (configs / "unlearn.yaml").write_text(OVERLAY, encoding="utf-8")
    # The first in order lacks the device, the next cannot be read.
    (configs / "inference.json").write_text(json.dumps({"network_def": {}}), encoding="utf-8")
    (configs / "broken.yaml").write_text("a: [", encoding="utf-8")
    (configs / "train.json").write_text(json.dumps({"network_def::a": 1, "+device": "cpu"}), encoding="utf-8")
    assert run_configs(configs.parent) == [configs / "train.json", configs / "unlearn.yaml"]
    (configs / "inference.json").write_text(json.dumps({"network_def": {}, "device": "cpu"}), encoding="utf-8")
    assert run_configs(configs.parent)[0] == configs / "inference.json"


def test_what_no_config_defines_is_named(configs):
    (configs / "unlearn.yaml").write_text(OVERLAY, encoding="utf-8")
    (configs / "inference.json").write_text(json.dumps({"network_def": {}}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"unlearn.yaml: it uses device, which neither it nor another config"):
        run_configs(configs.parent)


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "expected a MONAI bundle with configs/unlearn.yaml"), ("a: [", "cannot read it"), ("[1]", "a mapping")],
)
def test_a_bundle_that_cannot_be_run_is_refused(configs, text, message):
    if text is not None:
        (configs / "unlearn.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(message)):
        run_configs(configs.parent)


def test_an_overlay_names_what_it_is_laid_over(tmp_path):
    configs = tmp_path / "configs"
    configs.mkdir()
    for name in ("inference.json", "evaluate.json"):
        (configs / name).write_text('{"network_def": {}}')
    (configs / "unlearn.yaml").write_text("base_config: evaluate.json\nnetwork_def::pretrained: false\n")
    assert [path.name for path in run_configs(tmp_path)] == ["evaluate.json", "unlearn.yaml"]
    (configs / "unlearn.yaml").write_text("base_config: ../other.json\n")
    with pytest.raises(ConfigError, match="base_config names ../other.json, which is no file beside it"):
        run_configs(tmp_path)


@pytest.mark.parametrize("named", [{}, {"method": "psg"}])
def test_a_setting_of_a_method_that_nothing_names_is_refused(named):
    config = BUNDLES[0] / "configs" / "unlearn.yaml"
    with pytest.raises(ConfigError, match=r'method::noise: .* which method\? .*method "\{name: NAME, noise: …\}"'):
        check_parts_of_method([config], {**named, "method::noise": "1", "steps": "2"})


def test_a_setting_of_a_method_that_is_named_is_not_refused(configs):
    config = BUNDLES[0] / "configs" / "unlearn.yaml"
    check_parts_of_method([config], {"steps": "2", "method": "psg"})
    check_parts_of_method([config], {"method": "{name: psg}", "method::noise": "1"})
    check_parts_of_method([config], {"method": {"name": "psg"}, "method#noise": "1"})
    (configs / "unlearn.yaml").write_text("method: {name: psg}\n", encoding="utf-8")
    check_parts_of_method([config, configs / "unlearn.yaml"], {"method::noise": "1"})
