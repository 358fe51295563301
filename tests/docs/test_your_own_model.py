"""The walk-through for your own model, run as it is: commands and files are read from the page."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import yaml
from monai.bundle import ConfigParser
from PIL import Image
from tiny import write_images
from typer.testing import CliRunner

from monai_unlearn.cli import app

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "your_own_model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [shlex.split(body) for language, body in BLOCKS if language == "bash"]
MAKE, INDEX, PREVIEW, UNLEARN = COMMANDS
NETWORK = next(body for language, body in BLOCKS if language == "json")
SPEC, OVERLAY = (body for language, body in BLOCKS if language == "yaml")
SNIPPET = next(body for language, body in BLOCKS if language == "python")


def command(words, folder, codes=(0,)):
    """Run a command of the page in a folder; `python` is the one that runs the tests."""
    words = [sys.executable, "-W", "ignore", *words[1:]] if words[0] == "python" else words
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in codes, done.stderr
    return done


def ours(words):
    found = CliRunner().invoke(app, words[1:])
    assert found.exit_code == 0, found.output


def write_data(folder, *, size):
    frame = write_images(folder / "images")
    for path in (folder / "images").glob("*.png"):
        Image.open(path).resize((size, size), Image.Resampling.NEAREST).save(path)
    frame["file_name"] = [Path(path).name for path in frame["path"]]
    frame = frame.rename(columns={"patient": "participant"})
    columns = ["file_name", "diagnosis", "participant", "ManufacturerModelName"]
    frame[columns].to_csv(folder / "labels.csv", index=False)
    return frame


def train(config, frame, folder):
    """Train the network of a bundle on all images, as its owner might."""
    parser = ConfigParser(config)
    torch.manual_seed(0)
    paths = [str(folder / "images" / name) for name in frame["file_name"]]
    # MONAI's readers warn of readers that are not installed.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network, preprocessing = (parser.get_parsed_content(name) for name in ("network_def", "preprocessing"))
        images = torch.stack([torch.as_tensor(np.asarray(preprocessing({"image": path})["image"])) for path in paths])
    labels = torch.tensor([["down", "up"].index(name) for name in frame["diagnosis"]])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    for _ in range(12):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    return network


def equip(bundle, config, frame, folder):
    """Give a bundle its weights and the overlay, and the folder its spec."""
    (bundle / "models").mkdir(exist_ok=True)
    torch.save(train(config, frame, folder).state_dict(), bundle / "models" / "model.pt")
    (bundle / "configs" / "unlearn.yaml").write_text(OVERLAY, encoding="utf-8")
    (folder / "cohort.yaml").write_text(SPEC, encoding="utf-8")


def revised(folder):
    (bundle,) = (folder / "revision").glob("*_bundle")
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    return bundle, metadata


def test_the_overlay_is_short():
    assert len(OVERLAY.splitlines()) <= 26
    assert yaml.safe_load(OVERLAY)["unlearn"]


def test_a_bundle_that_monai_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command(MAKE, tmp_path)
    bundle = tmp_path / "my_bundle"
    path = bundle / "configs" / "inference.json"
    config = json.loads(path.read_text())
    config["network_def"] = json.loads(NETWORK)
    path.write_text(json.dumps(config, indent=2))
    frame = write_data(tmp_path, size=16)
    equip(bundle, {**config, "device": "cpu"}, frame, tmp_path)
    ours(INDEX)
    ours(PREVIEW)
    command(UNLEARN, tmp_path, codes=(0, 3))
    made, metadata = revised(tmp_path)
    assert metadata["version"] == "0.1.0"
    assert "retire-old" in metadata["changelog"]["0.1.0"]
    before, after = (torch.load(root / "models" / "model.pt", weights_only=True) for root in (bundle, made))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    namespace: dict[str, object] = {}
    exec(compile(SNIPPET, "your_own_model.md", "exec"), namespace)  # noqa: S102 - the page's own example
    assert len(namespace["remain"]) > 0


# The layout of the zoo's classifiers: bundle_root and dataset_dir of their training container, data from a JSON file,
# each image normalised by its own mean.
ZOO = {
    "imports": ["$import json", "$import os", "$import torch"],
    "bundle_root": "/workspace/bundle/my_bundle",
    "output_dir": "$@bundle_root + '/eval'",
    "dataset_dir": "/workspace/data/my_bundle",
    "test_json": "$@dataset_dir + '/test.json'",
    "test_fp": "$open(@test_json, 'r', encoding='utf8')",
    "test_dict": "$json.load(@test_fp)",
    "test_close": "$@test_fp.close()",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "network_def": {
        "_target_": "SEResNet50",
        "spatial_dims": 2,
        "in_channels": 3,
        "num_classes": 2,
        "layers": [1, 1, 1, 1],
    },
    "network": "$@network_def.to(@device)",
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "EnsureChannelFirstd", "keys": "image", "channel_dim": -1},
            {"_target_": "Resized", "keys": "image", "spatial_size": [32, 32], "mode": "bilinear"},
            {"_target_": "CastToTyped", "keys": "image", "dtype": "$torch.float32"},
            {"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True, "channel_wise": True},
            {"_target_": "EnsureTyped", "keys": "image"},
        ],
    },
    "dataset": {"_target_": "Dataset", "data": "@test_dict", "transform": "@preprocessing"},
    "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "shuffle": False},
    "inferer": {"_target_": "SimpleInferer"},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [{"_target_": "AsDiscreted", "argmax": True, "to_onehot": 2, "keys": ["pred"]}],
    },
    "handlers": [
        {
            "_target_": "CheckpointLoader",
            "load_path": "$@bundle_root + '/models/model.pt'",
            "load_dict": {"model": "@network"},
        },
    ],
    "evaluator": {
        "_target_": "SupervisedEvaluator",
        "device": "@device",
        "val_data_loader": "@dataloader",
        "network": "@network",
        "inferer": "@inferer",
        "postprocessing": "@postprocessing",
        "val_handlers": "@handlers",
    },
    "evaluating": ["$setattr(torch.backends.cudnn, 'benchmark', True)", "$@evaluator.run()"],
}


def test_a_bundle_laid_out_like_those_of_the_zoo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bundle = tmp_path / "my_bundle"
    (bundle / "configs").mkdir(parents=True)
    (bundle / "configs" / "inference.json").write_text(json.dumps(ZOO, indent=2))
    metadata = {"version": "0.4.9", "changelog": {"0.4.9": "as it was"}, "name": "A classifier of somebody"}
    (bundle / "configs" / "metadata.json").write_text(json.dumps(metadata))
    frame = write_data(tmp_path, size=32)
    equip(bundle, {**ZOO, "device": "cpu"}, frame, tmp_path)
    ours(INDEX)
    # As the page says for images that are normalised by their own mean. The command finds the config to lay it over.
    words = ["python", "-m", "monai_unlearn", "unlearn", "my_bundle", "--index", "index", "--spec", "cohort.yaml"]
    words += ["--out", "revision", "--set", "pixel_space::low=-5", "--set", "pixel_space::high=5"]
    done = command(words, tmp_path, codes=(0, 3))
    made, revised_metadata = revised(tmp_path)
    assert revised_metadata["version"] == "0.5.0"
    assert revised_metadata["name"] == "A classifier of somebody"
    assert json.loads((made / "configs" / "inference.json").read_text()) == ZOO
    assert "Traceback" not in done.stderr
