from __future__ import annotations

import json

import pytest
import torch
from monai.bundle import ConfigParser
from torch import nn

from monai_unlearn.release import BundleInfo, load_weights, saved_keys, weights_digest, write_revised_bundle
from monai_unlearn.release.state_dict import file_weights_digest

CONFIG = """\
image_size: [64, 64]  # a comment that goes with its value
split: "@elsewhere"
train:
  image_size: [8, 8]
decision:
  healthy_classes: [a]
class_names: $list(@_meta_)
"""
FORMAT = {"network_data_format": {"outputs": {"pred": {"num_channels": 1, "channel_def": {"0": "a"}}}}}


@pytest.fixture
def base(tmp_path):
    root = tmp_path / "some_bundle"
    for folder in ("configs", "models", "docs", "scripts"):
        (root / folder).mkdir(parents=True)
    (root / "configs" / "metadata.json").write_text(
        json.dumps({"name": "Some", "version": "1.4.2", "changelog": {"1.4.2": "before"}, "task": "t", **FORMAT})
    )
    (root / "configs" / "train.yaml").write_text(CONFIG)
    (root / "models" / "model.ts").write_text("stale export")
    (root / "models" / "training.json").write_text('{"of": "the weights beside it, maybe not those revised"}')
    (root / "docs" / "README.md").write_text("# Some bundle\n\nText.\n")
    (root / "scripts" / "own.py").write_text("pass")
    return root


def write(base, tmp_path, name="revised", change="Unlearned x."):
    network = nn.Linear(2, 2)
    info = BundleInfo.read(base)
    documents = {"model_card_diff.md": "the diff"}
    write_revised_bundle(
        info,
        tmp_path / name,
        network=network,
        record={"images": 3},
        settings={
            "class_names": ["x", "y"],
            "image_size": [16, 16],
            "split": {"seed": 3},
            "decision::healthy_classes": ["x"],
        },
        change=change,
        documents=documents,
    )
    return tmp_path / name, network


def test_the_successor_is_a_whole_bundle(base, tmp_path):
    revised, network = write(base, tmp_path)
    metadata = json.loads((revised / "configs" / "metadata.json").read_text())
    assert metadata["version"] == "1.5.0"
    assert list(metadata["changelog"].items()) == [("1.5.0", "Unlearned x."), ("1.4.2", "before")]
    assert metadata["task"] == "t"
    files = {path.relative_to(revised).as_posix() for path in revised.rglob("*") if path.is_file()}
    assert files == {
        "README.md",
        "configs/metadata.json",
        "configs/train.yaml",
        "docs/README.md",
        "docs/model_card_diff.md",
        "models/model.pt",
        "models/training.json",
        "scripts/own.py",
    }
    expected = {"images": 3, "weights_digest": weights_digest(network.state_dict())}
    assert json.loads((revised / "models" / "training.json").read_text()) == expected
    load_weights(nn.Linear(2, 2), revised / "models" / "model.pt")


@pytest.mark.parametrize(
    "left_behind",
    [
        "mlruns/0/run/metrics/loss",
        "eval/predictions.csv",
        "models/model.ts",
        ".out.checkpoint/fingerprint.json",
        "scripts/__pycache__/own.pyc",
    ],
)
def test_outputs_of_runs_caches_and_stale_exports_are_not_copied(base, tmp_path, left_behind):
    path = base / left_behind
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("of a run")
    revised, _ = write(base, tmp_path)
    assert not (revised / left_behind).exists()
    assert (revised / "scripts" / "own.py").is_file()


def test_the_members_in_a_training_record_stay_behind(base, tmp_path):
    write_revised_bundle(
        BundleInfo.read(base),
        tmp_path / "revised",
        network=nn.Linear(2, 2),
        record={"images": 3, "members": {"MARK": "digest"}},
        settings={},
        change="x",
        documents={},
    )
    record = json.loads((tmp_path / "revised" / "models" / "training.json").read_text())
    assert record.keys() == {"images", "weights_digest"}


def test_the_loader_of_the_bundle_reads_the_revised_weights(base, tmp_path):
    network, loaded = nn.Linear(2, 2), "torch.load(@bundle_root + '/models/model.pt', weights_only=True)"
    torch.save({"state_dict": nn.Linear(2, 2).state_dict(), "epoch": 3}, base / "models" / "model.pt")
    inference = {
        "network_def": {"_target_": "torch.nn.Linear", "in_features": 2, "out_features": 2},
        "load": f"$@network_def.load_state_dict({loaded}['state_dict'])",
    }
    (base / "configs" / "inference.json").write_text(json.dumps(inference))
    write_revised_bundle(
        BundleInfo.read(base),
        tmp_path / "revised",
        network=network,
        record={},
        settings={},
        change="x",
        documents={},
        weights_keys=saved_keys(base / "models" / "model.pt", network),
    )
    parser = ConfigParser()
    parser.read_config(str(tmp_path / "revised" / "configs" / "inference.json"))
    parser["bundle_root"] = str(tmp_path / "revised")
    parser.get_parsed_content("load")
    assert torch.equal(parser.get_parsed_content("network_def").weight, network.weight)
    path = tmp_path / "revised" / "models" / "model.pt"
    assert torch.equal(load_weights(nn.Linear(2, 2), path).bias, network.bias)
    assert file_weights_digest(path) == weights_digest(network.state_dict())  # what verify compares


def test_the_base_stays_as_it_is(base, tmp_path):
    before = {path: path.read_bytes() for path in base.rglob("*") if path.is_file()}
    write(base, tmp_path)
    assert {path: path.read_bytes() for path in base.rglob("*") if path.is_file()} == before


def test_revisions_pile_up_newest_first(base, tmp_path):
    first, _ = write(base, tmp_path)
    second, _ = write(first, tmp_path, name="again", change="Unlearned y.")
    readme = (second / "docs" / "README.md").read_text()
    assert readme.startswith("# Some bundle\n\nText.\n\n## Revisions\n")
    assert readme.index("**1.6.0**: Unlearned y.") < readme.index("**1.5.0**: Unlearned x.")
    assert readme.count("## Revisions") == 1


def test_cards_of_earlier_revisions_are_kept_with_their_version(base, tmp_path):
    revised, _ = write(base, tmp_path)
    (revised / "docs" / "model_card_diff.md").write_text("the first diff")
    second, _ = write(revised, tmp_path, "second", change="Unlearned y.")
    assert (second / "docs" / "model_card_diff.md").read_text() == "the diff"
    assert (second / "docs" / "model_card_diff-1.5.0.md").read_text() == "the first diff"
    third, _ = write(second, tmp_path, "third", change="Unlearned z.")
    readme = (third / "docs" / "README.md").read_text()
    for version, name in (("1.5.0", "-1.5.0"), ("1.6.0", "-1.6.0"), ("1.7.0", "")):
        assert (third / "docs" / f"model_card_diff{name}.md").is_file()
        (line,) = [line for line in readme.splitlines() if line.startswith(f"- **{version}**")]
        assert line.endswith(f" See [model_card_diff{name}.md](model_card_diff{name}.md).")


def test_a_bundle_without_readme_gets_one(base, tmp_path):
    (base / "docs" / "README.md").unlink()
    revised, _ = write(base, tmp_path)
    assert "## Revisions" in (revised / "docs" / "README.md").read_text()


def test_the_successor_says_what_the_run_used(base, tmp_path):
    revised, _ = write(base, tmp_path)
    config = (revised / "configs" / "train.yaml").read_text()
    assert config == CONFIG.replace("[64, 64]  # a comment that goes with its value", "[16, 16]").replace(
        "healthy_classes: [a]", 'healthy_classes: ["x"]'
    )
    pred = json.loads((revised / "configs" / "metadata.json").read_text())["network_data_format"]["outputs"]["pred"]
    assert pred == {"num_channels": 2, "channel_def": {"0": "x", "1": "y"}}
