from __future__ import annotations

import json

import pytest
import yaml
from torch import nn
from zoo_layouts import LAYOUTS, OLD, downloads, write_layout

from monai_unlearn.release import BundleInfo, download_warnings, write_revised_bundle


def revised(root, target):
    write_revised_bundle(
        BundleInfo.read(root),
        target,
        network=nn.Linear(1, 1),
        record={},
        settings={"image_size": [32, 32]},
        change="Unlearned x.",
        documents={"model_card_diff.md": "the card"},
    )
    return target


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_revised_bundle_never_downloads_old_weights(layout, tmp_path):
    out = revised(write_layout(tmp_path / "base", layout), tmp_path / "revised")
    assert not [path for path in downloads(out) if path.endswith((".pt", ".pth", ".ts")) or "models/" in path]
    for path in out.rglob("*"):
        if path.is_file() and path.suffix in {".json", ".yaml", ".yml"}:
            text = path.read_text(encoding="utf-8")
            assert f"{OLD}/models" not in text
            assert "pretrained: true" not in text.replace('"', "")
    assert [path.name for path in (out / "models").iterdir()] == ["model.pt"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_else_of_a_bundle_is_copied(layout, tmp_path):
    base = write_layout(tmp_path / "base", layout)
    out = revised(base, tmp_path / "revised")
    wanted = {path.relative_to(base) for path in base.rglob("*") if path.is_file()}
    found = {path.relative_to(out) for path in out.rglob("*") if path.is_file()}
    assert {str(path) for path in wanted - found} <= {"large_files.yml", "large_files.yaml", "large_files.json"}
    for path in out.glob("configs/inference.*"):
        assert yaml.safe_load(path.read_text())["image_size"] == [32, 32]
        assert yaml.safe_load(path.read_text())["load_pretrain"] is True


def test_data_is_still_downloaded(tmp_path):
    out = revised(write_layout(tmp_path / "base", "data beside weights"), tmp_path / "revised")
    assert downloads(out) == ["training.csv", "docs/labels.json", "datasets/masks.zip"]


def test_a_list_without_weights_keeps_its_text(tmp_path):
    base = write_layout(tmp_path / "base", "only data")
    assert downloads(revised(base, tmp_path / "revised")) == ["docs/SC-N-2-3-0.npy"]
    assert not download_warnings(base)


def test_the_card_names_what_was_taken_out(tmp_path):
    found = "\n".join(download_warnings(write_layout(tmp_path / "a", "several weights")))
    assert "large_files.yml named models/search_code_18590.pt, models/model.pt, models/stage0/model.pt" in found
    found = "\n".join(download_warnings(write_layout(tmp_path / "b", "pretrained")))
    assert "configs/inference.json, network_def::pretrained: was true" in found
    assert "configs/train.json, network_def::pretrained: was true" in found


def test_weights_in_other_places_are_left_behind_and_named(tmp_path):
    base = write_layout(tmp_path / "base", "json")
    (base / "scripts").mkdir()
    (base / "scripts" / "warm_start.ckpt").write_bytes(b"old")
    (base / "models" / "autoencoder.pt").write_bytes(b"old")
    out = revised(base, tmp_path / "revised")
    assert not list(out.rglob("*.ckpt"))
    assert "models/autoencoder.pt, scripts/warm_start.ckpt" in download_warnings(base)[-1]


@pytest.mark.parametrize("text", ["large_files: 3", "[", "large_files:\n- url: x", "- models/model.pt", ""])
def test_a_list_that_cannot_be_read_is_removed(text, tmp_path):
    base = write_layout(tmp_path / "base", "committed weights")
    (base / "large_files.yml").write_text(text)
    assert download_warnings(base) == ["large_files.yml could not be read as a list of files to download: removed."]
    assert not (revised(base, tmp_path / "revised") / "large_files.yml").exists()


@pytest.mark.parametrize(
    "path",
    ["models/a", "./models/a", "scripts/../models/a", "models\\a", "Models/a", "/root/a", "../a", "c:/a", "a.PT"],
)
def test_every_spelling_of_a_path_is_recognised(path, tmp_path):
    base = write_layout(tmp_path / "base", "committed weights")
    (base / "large_files.json").write_text(json.dumps({"large_files": [{"path": path, "url": "u"}]}))
    assert not (revised(base, tmp_path / "revised") / "large_files.json").exists()


def test_a_config_that_nobody_can_read_is_named(tmp_path):
    base = write_layout(tmp_path / "base", "json")
    (base / "configs" / "broken.yaml").write_text("a: [")
    assert "configs/broken.yaml is neither YAML nor JSON" in download_warnings(base)[-1]
