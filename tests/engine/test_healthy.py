from __future__ import annotations

import pytest
import yaml
from bundle_walk import BUNDLES

from monai_unlearn.engine.healthy import declared_healthy, healthy_classes
from monai_unlearn.release import BundleInfo


def bundle(folder, text):
    (folder / "configs").mkdir()
    (folder / "configs" / "unlearn.yaml").write_text(text, encoding="utf-8")
    return folder


def test_what_the_config_to_unlearn_declares(tmp_path):
    root = bundle(tmp_path, "decision: {healthy_classes: [normal, drusen]}\n")
    assert declared_healthy(root, ["normal", "glaucoma", "drusen"]) == ("normal", "drusen")
    assert healthy_classes(root, ["normal", "glaucoma", "drusen"]) == ["normal", "drusen"]


def test_it_says_nothing_of_other_classes(tmp_path):
    root = bundle(tmp_path, "decision: {healthy_classes: [normal]}\n")
    assert declared_healthy(root, ["up", "down"]) is None
    assert healthy_classes(root, ["up", "down"]) == []


@pytest.mark.parametrize(
    "text", ["decision: {}", "decision: null", "seed: 0", "decision: {healthy_classes: '@normal'}"]
)
def test_a_bundle_that_declares_nothing(tmp_path, text):
    assert declared_healthy(bundle(tmp_path, text), ["normal"]) is None


def test_that_no_class_is_healthy_is_declared_too(tmp_path):
    assert declared_healthy(bundle(tmp_path, "decision: {healthy_classes: []}"), ["normal"]) == ()


@pytest.mark.parametrize("root", BUNDLES, ids=lambda root: root.name)
def test_every_bundle_declares_it_in_one_place(root):
    classes = BundleInfo.read(root).metadata["network_data_format"]["outputs"]["pred"]["channel_def"].values()
    found = declared_healthy(root, list(classes))
    assert found
    configs = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in root.glob("configs/*.yaml")}
    literal = [
        name for name, config in configs.items() if list(found) in (config.get("healthy_classes"), *_sections(config))
    ]
    assert literal == ["unlearn.yaml"]


def _sections(config):
    return [section.get("healthy_classes") for section in config.values() if isinstance(section, dict)]
