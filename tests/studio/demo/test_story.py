from __future__ import annotations

from pathlib import Path

import yaml

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.release.config_text import edited
from monai_unlearn.studio.demo.story import BUNDLE, CONFIGS, DEMO, FUNDUS, SPEC, SPEC_NAME, STATION, Story


def test_the_words_are_those_of_the_commands():
    story = Story(phantom="mri", patients=3, options=("--slices", "1"), training=("--a", "1"), settings=("--b", "2"))
    words = "phantom mri s --patients 2 --seed 0 --slices 1"
    assert story.draw(Path("s"), patients=2) == words.split()
    words = "index build s --out i --table s/labels.csv --key SOPInstanceUID --label diagnosis"
    assert story.index(Path("s"), Path("i")) == words.split()
    words = "run train --config_file b/configs/train.yaml --index_dir i --b 2 --a 1"
    assert story.train(Path("b"), Path("i")) == words.split()


def test_the_bundle_is_that_of_the_project():
    root = Path(__file__).resolve().parents[3]
    assert BUNDLE.resolve() == root / "bundles" / "fundus_classifier"


def test_the_settings_of_the_demo_are_in_the_configs_and_agree():
    found = {}
    for name, settings in CONFIGS.items():
        before = yaml.safe_load((BUNDLE / "configs" / name).read_text(encoding="utf-8"))
        text = edited(BUNDLE / "configs" / name, {tuple(key.split("::")): one for key, one in settings.items()})
        found[name] = yaml.safe_load(text)
        assert found[name].keys() == before.keys()
        for key, value in settings.items():
            node = found[name]
            for part in key.split("::"):
                node = node[part]
            assert node == value
    assert len({str(config["image_size"]) for config in found.values()}) == 1
    assert found["train.yaml"]["split"] == found["unlearn.yaml"]["split"] == found["evaluate.yaml"]["split"]


def test_the_spec_retires_the_station_that_filed_unread():
    spec = CohortSpec.parse(SPEC, source="spec")
    assert (spec.name, spec.reason.value) == (SPEC_NAME, "device_deprecation")
    assert STATION in str(spec.forget)
    assert all(STATION in story.options for story in (DEMO, FUNDUS))
