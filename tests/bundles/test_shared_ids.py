"""The configs of a bundle repeat some settings, since each is run on its own: here they are held equal."""

from __future__ import annotations

import itertools

import pytest
import yaml
from bundle_walk import BUNDLES, CONFIGS

# Settings that configs have under one name for purposes of their own.
DIFFERENT = {
    "imports": "inference also releases",
    "class_names": "evaluation and inference take those that their weights were trained with",
    "initialize": "evaluation has a fixed seed",
    "dataset_dir": "inference reads a folder, the others an index",
    "data": "unlearning needs a cohort",
    "output_dir": "results of a revision must not go into the bundle by default",
    "preprocessing": "inference gets images in memory, and loads files in a step of its own",
    "train": "the steps of training and of unlearning",
    "batch_size": "the steps of training and of unlearning",
    "learning_rate": "the steps of training and of unlearning",
    "max_epochs": "the steps of training and of unlearning",
}
# What a network and its data are: settings that no config of a bundle may lack, but for `split` in inference.
REQUIRED = {"class_names", "image_size", "mean", "std", "network_def", "network", "checkpoint", "device"}


def configs_of(bundle):
    return {name: yaml.safe_load((bundle / "configs" / f"{name}.yaml").read_text(encoding="utf-8")) for name in CONFIGS}


@pytest.fixture(params=BUNDLES, ids=lambda bundle: bundle.name)
def configs(request):
    return configs_of(request.param)


def test_settings_of_the_same_name_have_the_same_value(configs):
    for (first, one), (second, other) in itertools.combinations(configs.items(), 2):
        shared = one.keys() & other.keys() - DIFFERENT.keys()
        differing = [name for name in sorted(shared) if one[name] != other[name]]
        assert differing == [], f"{first}.yaml and {second}.yaml"


def test_every_config_says_what_the_network_and_its_input_are(configs):
    missing = {name: REQUIRED - config.keys() for name, config in configs.items()}
    assert missing == {name: set() for name in CONFIGS}
    assert all("split" in configs[name] for name in CONFIGS if name != "inference")


def test_preprocessing_is_the_same_with_loading_in_a_step_of_its_own_for_inference(configs):
    expected = configs["train"]["preprocessing"]
    for name in ("evaluate", "unlearn"):
        assert configs[name]["preprocessing"] == expected, name
    # MONAI Deploy needs the metadata of the image after preprocessing; training would only copy them.
    last = expected["transforms"][-1]
    assert last.pop("track_meta") is False
    inference = configs["inference"]["preprocessing"]
    assert {**inference, "transforms": [configs["inference"]["loading"], *inference["transforms"]]} == expected


def test_the_data_are_the_same_but_for_the_cohort_and_what_was_forgotten_earlier(configs):
    # A bundle can be evaluated where nobody knows what was forgotten; it cannot be trained or revised there.
    lineage = {"bundle_root": "@bundle_root", "lineage_members": "@lineage_members"}
    assert configs["train"]["data"] == {**configs["evaluate"]["data"], **lineage}
    assert configs["unlearn"]["data"] == {**configs["train"]["data"], "needs_cohort": True}


def test_retraining_gets_every_setting_of_the_input(configs):
    shared = set(configs["unlearn"]["revision"]["retraining"]["shared"])
    inputs = {"class_names", "split", "image_size", "mean", "std", "view", "position"}
    assert shared == inputs & configs["train"].keys()


def test_the_exceptions_are_needed():
    """An id that is the same everywhere does not belong among the exceptions."""
    differing = set()
    for bundle in BUNDLES:
        for one, other in itertools.combinations(configs_of(bundle).values(), 2):
            differing |= {name for name in one.keys() & other.keys() if one[name] != other[name]}
    assert differing == set(DIFFERENT)
