"""The demo has a story for each bundle, with a spec that can be read."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.cohort import CohortSpec
from monai_unlearn.evaluation import Network, PredictionTable
from monai_unlearn.vocabulary.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo():
    spec = importlib.util.spec_from_file_location("demo", ROOT / "scripts" / "demo.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_each_bundle_has_a_story(demo):
    assert set(demo.STORIES) == {path.parent.parent.name for path in (ROOT / "bundles").glob("*/configs/unlearn.yaml")}


def test_the_specs_of_the_stories_can_be_read(demo):
    assert all(CohortSpec.read(story.spec).rules for story in demo.STORIES.values())


def metrics(line, revised):
    row = {"subset": "forget_test", "measure": "mean_probability", "guard": False, "target": 0.5}
    rows = [
        {**row, "class": "a", "predicted": "a", "revised": revised},
        {**row, "class": "a", "predicted": "b", "revised": 0.1},
        {**row, "class": "a", "predicted": None, "revised": 0.2, "measure": "sensitivity", "guard": True},
        {**row, "class": "b", "predicted": "b", "revised": None, "target": None},
    ]
    chosen = {"name": "reset", "chosen_by": "default", "ground": "reset of the head, because"}
    return {"verdict": line.partition(":")[0], "method": chosen, "decision": {"line": line, "endpoints": rows}}


def test_both_methods_stand_side_by_side_class_by_class(demo):
    runs = {"psg": metrics("different: it is.", 0.25), "default": metrics("equivalent: it is.", 0.5)}
    lines = [line.split() for line in demo.side_by_side(runs, original={("forget_test", "a"): 0.875})]
    assert lines[1] == ["forget", "test", "a", "87.5", "50.0", "25.0", "50.0"]
    assert lines[2] == ["forget", "test", "b", "–", "–", "–", "–"]
    assert lines[3] == ["verdict", "different", "equivalent"]
    assert [" ".join(line) for line in lines[-3:]] == [
        "default is reset; by default, reset of the head, because.",
        "psg: different: it is.",
        "default: equivalent: it is.",
    ]


def test_the_original_stands_beside_them(demo, tmp_path):
    logits = np.log([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]])
    table = PredictionTable(
        frame=pd.DataFrame(
            {
                "image_id": ["1", "2", "3"],
                "patient": ["p", "q", "q"],
                "part": "forget",
                "split": "test",
                "label": ["a", "a", "b"],
            }
        ),
        class_names=("a", "b"),
        networks=(Network(name="original", role="original"), Network(name="revised", role="revised")),
        logits={"original": logits, "revised": np.zeros((3, 2))},
    )
    run = RunFolder(tmp_path)
    run.evidence.mkdir(parents=True)
    table.write(run.predictions)
    assert demo.of_the_original(run) == pytest.approx({("forget_test", "a"): 0.8, ("forget_test", "b"): 0.6})


def has(config, name):
    for key in name.removeprefix("--").split("::"):
        config = config.get(key, {})
    return config != {}


def test_stories_set_what_their_configs_know(demo):
    for bundle, story in demo.STORIES.items():
        train, unlearn = (
            yaml.safe_load((ROOT / "bundles" / bundle / "configs" / name).read_text(encoding="utf-8"))
            for name in ("train.yaml", "unlearn.yaml")
        )
        assert all(has(train, name) for name in (*story.training.settings[::2], *story.training.training[::2]))
        assert all(has(unlearn, name) for name in (*story.training.settings[::2], *story.revision[::2]))


def test_the_phantoms_of_the_stories_can_be_drawn(demo, tmp_path):
    for bundle, story in demo.STORIES.items():
        words = story.training.draw(tmp_path / bundle, patients=1)
        assert CliRunner().invoke(app, words).exit_code == 0
