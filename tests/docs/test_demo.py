"""The demo has a story for each bundle, with a spec that can be read."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from monai_unlearn.cohort import CohortSpec

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
    return {"decision": {"line": line, "endpoints": rows}}


def test_both_methods_stand_side_by_side_class_by_class(demo):
    runs = {"psg": metrics("different: it is.", 0.25), "reset": metrics("equivalent: it is.", 0.5)}
    lines = [line.split() for line in demo.side_by_side(runs)]
    assert lines[1] == ["forget", "test", "a", "50.0", "25.0", "50.0"]
    assert lines[2] == ["forget", "test", "b", "–", "–", "–"]
    assert lines[-1] == ["psg:", "different:", "it", "is."]
    assert demo.line_of("reset", runs["reset"]) == "reset: equivalent: it is."
