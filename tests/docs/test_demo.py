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
