"""From a bundle of somebody to a revised one: init-overlay, unlearn, verify, on layouts of the model zoo."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from unittest import mock

import pytest
import torch
from monai.bundle import ConfigWorkflow
from nightly import nightly
from tiny import tiny_spec
from zoo_classifiers import LAYOUTS, write_bundle, write_data

from monai_unlearn.engine.dry_run import try_bundle
from monai_unlearn.engine.host import ours
from monai_unlearn.errors import NotAccepted
from monai_unlearn.experiments.overlay import init_overlay as module
from monai_unlearn.experiments.overlay.settings import Choices
from monai_unlearn.release.verify import verify
from monai_unlearn.release.verify.report import Kind


def workflow(run_id, files, **settings):
    made = ConfigWorkflow(config_file=files, run_id=run_id, logging_file=False, workflow_type="train", **settings)
    with mock.patch.object(sys, "excepthook"):
        made.initialize()
        try:
            made.run()
        except Exception as error:
            if not isinstance(ours(error), NotAccepted):
                raise
        made.finalize()
    return made


def check_revised(root, folder, wrapped):
    """What a revised bundle must have, whatever its verdict."""
    (made,) = folder.glob("*_bundle")
    found = json.loads((made / "configs" / "metadata.json").read_text())
    assert found["version"] == "0.5.0"
    assert found["name"] == "A classifier of somebody"
    before = torch.load(root / "models" / "model.pt", weights_only=True)
    after = torch.load(made / "models" / "model.pt", weights_only=True)
    # In the same place of the file, where the bundle's own loader looks for them.
    before, after = (one[wrapped] if wrapped else one for one in (before, after))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    return made


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["endoscopic_inbody", "densenet_3d"])
def test_in_one_process(name, tmp_path, monkeypatch):
    layout = LAYOUTS[name]()
    root, index = write_bundle(tmp_path / "bundle", layout), write_data(tmp_path, layout)
    monkeypatch.setattr(module, "try_configs", try_bundle)
    document = module.init_overlay(root, choices=Choices(healthy=layout.classes[:1]), index=index)
    assert document["problems"] == []
    assert {one["code"] for one in document["notes"]} == set(layout.codes)
    configs = root / "configs"
    data: dict[str, str] = {"index_dir": str(index), "device": "cpu"}
    if layout.trains:
        data["checkpoint"] = str(tmp_path / "trained" / "model.pt")
        files = [str(configs / "train.json"), str(configs / "train_reference.yaml")]
        workflow("train", files, **data)
        assert json.loads((tmp_path / "trained" / "training.json").read_text())["class_names"] == list(layout.classes)
    files = [str(configs / document["config"]), str(configs / "unlearn.yaml")]
    spec, out = str(tiny_spec(tmp_path)), tmp_path / "out"
    # With its own weights, whose record says how they were trained, references can be trained in the same way.
    reference = {"reference": "retrain", "reference_seeds": 1} if layout.trains else {}
    workflow("unlearn", files, cohort_spec=spec, output_dir=str(out), audits=[], max_epochs=1, **data, **reference)
    made = check_revised(root, out, layout.wrapped)
    assert [fault for fault in verify(made).faults if fault.kind is not Kind.UNSIGNED] == []
    assert json.loads((out / "evidence" / "metrics.json").read_text())["verdict"]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_one_logit_is_trained_as_one(tmp_path, monkeypatch):
    layout = LAYOUTS["one_logit"]()
    root, index = write_bundle(tmp_path / "bundle", layout, weights=False), write_data(tmp_path, layout)
    before = json.loads((root / "configs" / "metadata.json").read_text())
    monkeypatch.setattr(module, "try_configs", try_bundle)
    document = module.init_overlay(root, choices=Choices(healthy=("normal",)), index=index)
    assert (document["problems"], document["head"]) == ([], "sigmoid")
    files = [str(root / "configs" / name) for name in ("train.json", "train_reference.yaml")]
    workflow("train", files, index_dir=str(index), device="cpu")
    assert json.loads((root / "models" / "training.json").read_text())["class_names"] == ["normal", "mass"]
    assert json.loads((root / "configs" / "metadata.json").read_text()) == before


def command(words, folder, codes):
    words = [sys.executable, "-W", "ignore", *words[1:]] if words[0] == "python" else words
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode in codes, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@nightly
@pytest.mark.parametrize("name", LAYOUTS)
def test_by_the_commands_that_are_printed(name, tmp_path):
    layout = LAYOUTS[name]()
    root, index = write_bundle(tmp_path / "bundle", layout), write_data(tmp_path, layout)
    ours_is = [sys.executable, "-m", "monai_unlearn"]
    words = [
        *ours_is,
        "init-overlay",
        str(root),
        "--index",
        str(index),
        "--healthy",
        layout.classes[0],
        *layout.options,
    ]
    document = json.loads(command([*words, "--json"], tmp_path, (0,)))
    assert {one["code"] for one in document["notes"]} == set(layout.codes)
    assert (document["training_command"] is not None) == layout.trains
    places = {"INDEX": str(index), "SPEC": str(tiny_spec(tmp_path)), "OUT": str(tmp_path / "out")}
    places["WEIGHTS"] = str(tmp_path / "trained" / "model.pt")
    words = shlex.split(document["command"])
    if layout.trains:
        command([places.get(word, word) for word in shlex.split(document["training_command"])], tmp_path, (0,))
        words += ["--checkpoint", "WEIGHTS"]
    command([places.get(word, word) for word in words], tmp_path, (0, 3))
    made = check_revised(root, tmp_path / "out", layout.wrapped)
    command([*ours_is, "verify", str(made)], tmp_path, (5,))  # sound, and not signed
