from __future__ import annotations

import json
from pathlib import Path

import pytest
from bundle_run import BUNDLE

from monai_unlearn.engine.recipe import as_recorded, differing, plain_config, recipe_of, training_config
from monai_unlearn.errors import ConfigError

PATH = Path("models/training.json")
PLACES = {"configs": ["train.yaml"], "bundle_root": str(BUNDLE)}


def recipe(**overrides):
    return recipe_of(plain_config(training_config(["train.yaml"], str(BUNDLE), overrides)))


def test_the_recipe_holds_how_a_network_is_trained_and_not_on_what():
    found = recipe()
    assert (found["max_epochs"], found["learning_rate"], found["class_balance"]) == (20, 0.002, 0.0)
    assert (found["image_size::0"], found["network_def::layers::3"], found["batch_size"]) == (64, 1, 32)
    assert found["train::optimizer::_target_"] == "torch.optim.AdamW"
    assert found["train::preprocessing::transforms::0::_target_"] == "RandAxisFlipd"
    words = {part for name in found for part in name.split("::")}
    assert not words & {"index_dir", "checkpoint", "device", "seed", "parts", "handlers", "class_names", "split"}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("same", [{"seed": 7}, {"device": "cuda"}, {"index_dir": "elsewhere"}, {"parts": ["remain"]}])
def test_where_and_on_what_it_is_trained_makes_no_difference(same):
    assert recipe(**same) == recipe()


def test_what_differs_is_named_with_both_values():
    assert differing({"a": 1, "b": 2, "c": None}, {"b": 3, "c": None, "d": 4}) == [
        "a (1 there, none here)",
        "b (2 there, 3 here)",
        "d (none there, 4 here)",
    ]


def test_settings_given_at_training_are_taken_from_the_record():
    recorded = recipe(max_epochs=3, **{"train::optimizer::weight_decay": 0.5})
    found = as_recorded({"recipe": recorded}, PATH, **PLACES, overrides={"image_size": [64, 64]})
    assert found == {"image_size": [64, 64], "max_epochs": 3, "train::optimizer::weight_decay": 0.5}
    assert recipe(**found) == recorded


def test_the_same_recipe_needs_nothing():
    assert as_recorded({"recipe": recipe()}, PATH, **PLACES, overrides={}) == {}


@pytest.mark.parametrize(
    ("recorded", "overrides", "message"),
    [
        ({"max_epochs": 3}, {"max_epochs": 2}, r"another recipe than train.yaml of this run: max_epochs \(3 there, 2"),
        ({"train::dropout": 0.5}, {}, r"train::dropout \(0.5 there, none here\)\. Set these as they were"),
    ],
)
def test_a_recipe_that_cannot_be_repeated_is_refused(recorded, overrides, message):
    with pytest.raises(ConfigError, match=message):
        as_recorded({"recipe": {**recipe(), **recorded}}, PATH, **PLACES, overrides=overrides)


def test_a_record_without_a_recipe_is_refused():
    with pytest.raises(ConfigError, match=r"training.json does not say by which recipe the weights were trained"):
        as_recorded({"images": 3}, PATH, **PLACES, overrides={})


def test_a_missing_training_config_is_named():
    with pytest.raises(ConfigError, match="training_configs: expected the training config nowhere.yaml in"):
        training_config(["nowhere.yaml"], str(BUNDLE), {})
