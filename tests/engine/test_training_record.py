from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_unlearn.data.earlier import Earlier
from monai_unlearn.engine.training_record import (
    check_inputs,
    check_original,
    check_reference,
    images_digest,
    record_beside,
    record_of,
)
from monai_unlearn.errors import ConfigError
from monai_unlearn.release import save_weights, weights_digest

IMAGES = {"forget": ["image-1", "image-2"], "remain": ["image-3"]}
SPLIT = {"seed": 0, "test_fraction": 0.2}
PATH = Path("models/training.json")
CLASSES = ("up", "down")


def data(images=IMAGES):
    def items(parts, split):
        assert split == "train"
        return [{"image_id": name} for part in parts for name in images.get(part, ())]

    rule = SimpleNamespace(to_dict=lambda: dict(SPLIT))
    return SimpleNamespace(items=items, split_rule=rule, class_names=CLASSES, names=CLASSES, earlier=Earlier())


def record(parts, **changes):
    return {"parts": parts, "split": SPLIT, "images_digest": images_digest(data(), parts), **changes}


def test_the_digest_depends_on_the_images_and_not_on_their_order():
    assert images_digest(data(), ["forget"]) != images_digest(data(), ["remain"])
    turned = data({"forget": ["image-2", "image-1"]})
    assert images_digest(turned, ["forget"]) == images_digest(data(), ["forget"])


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_record_that_cannot_be_read_is_empty(tmp_path, content):
    if content is not None:
        (tmp_path / "training.json").write_text(content)
    assert record_of(tmp_path / "model.pt") == {}


def test_the_record_is_beside_the_checkpoint(tmp_path):
    (tmp_path / "training.json").write_text(json.dumps({"images": 3}))
    assert record_of(tmp_path / "model.pt") == {"images": 3}


def test_a_record_of_other_weights_is_none_of_these(tmp_path):
    path, network = tmp_path / "model.pt", nn.Linear(2, 2)
    found = {"images": 3, "weights_digest": weights_digest(network.state_dict())}
    (tmp_path / "training.json").write_text(json.dumps(found))
    save_weights(network, path)
    assert record_of(path) == found
    # In another layout they are the same weights.
    torch.save({"state_dict": {f"module.{name}": one for name, one in network.state_dict().items()}}, path)
    assert record_of(path) == found
    save_weights(nn.Linear(2, 2), tmp_path / "other.pt")
    assert record_of(tmp_path / "other.pt") == {}
    assert record_beside(tmp_path / "other.pt") == found
    # One that does not say whose it is proves nothing.
    (tmp_path / "training.json").write_text(json.dumps({"images": 3}))
    assert record_of(path) == {}
    (warning,) = check_original({}, tmp_path / "training.json", data())
    assert warning.endswith("training.json beside them does not name these weights.")


def test_weights_trained_on_the_images_of_the_run_raise_no_warning():
    assert check_original(record(["forget", "remain"]), PATH, data()) == []


def test_without_a_record_it_is_unknown_what_the_weights_were_trained_on():
    (warning,) = check_original({}, PATH, data())
    assert warning.startswith("The weights come without a training record: it is unknown whether")


def test_other_images_raise_a_warning():
    (warning,) = check_original(record(["forget", "remain"], images_digest="sha256:other"), PATH, data())
    assert "names other images than this index holds" in warning


def test_another_split_is_refused():
    other = record(["forget"], split={"seed": 1, "test_fraction": 0.2})
    with pytest.raises(ConfigError, match=r"models/training.json says .* trained under another split \(.*'seed': 1"):
        check_original(other, PATH, data())


RECIPE = {"image_size::0": 64, "image_size::1": 64, "mean::0": 0.5, "std::0": 0.25, "max_epochs": 20}
INPUTS = {"image_size": [64, 64], "mean": [0.5], "std": [0.25], "class_names": ["up", "down"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ["down", "up"]}, r"class_names \(\['up', 'down'\] there, \['down', 'up'\] here\)"),
        ({"image_size": [64, 32]}, r"other inputs: image_size::1 \(64 there, 32 here\)\. Give the run the same"),
        ({"image_size": [64, 64, 64]}, r"image_size::2 \(none there, 64 here\)"),
        ({"mean": [0.25], "std": [0.5]}, r"mean::0 \(0.5 there, 0.25 here\); std::0 \(0.25 there, 0.5 here\)"),
    ],
)
def test_weights_trained_for_other_inputs_are_refused(changes, message):
    recorded = record(["remain"], recipe=RECIPE, class_names=["up", "down"])
    check_inputs(recorded, PATH, INPUTS)
    with pytest.raises(ConfigError, match=message):
        check_inputs(recorded, PATH, {**INPUTS, **changes})


def test_the_classes_of_the_run_are_those_of_its_data():
    recorded = record(["remain"], recipe=RECIPE, class_names=["down", "up"])
    with pytest.raises(ConfigError, match="class_names"):
        check_original(recorded, PATH, data(), INPUTS)


def test_settings_that_only_one_of_them_names_are_not_compared():
    recorded = record(["remain"], recipe={"side": 64, "std::0": 0.25}, class_names=["up", "down"])
    check_inputs(recorded, PATH, {**INPUTS, "batch_size": 8})


def test_a_reference_trained_by_another_recipe_is_refused():
    found = record(["remain"], recipe={**RECIPE, "max_epochs": 5})
    check_reference(found, PATH, data(), record(["forget", "remain"], recipe={**RECIPE, "max_epochs": 5}))
    check_reference(found, PATH, data(), {})
    message = r"another recipe than the original: max_epochs \(20 there, 5 here\)\. Their differences would count"
    with pytest.raises(ConfigError, match=message):
        check_reference(found, PATH, data(), record(["forget", "remain"], recipe=RECIPE))


def test_a_reference_trained_on_the_remain_part_is_accepted():
    check_reference(record(["remain"]), PATH, data())
    check_reference({}, PATH, data())


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (record(["forget", "remain"]), "were trained on forget, remain: a reference is trained on remain alone"),
        ({"images": 3}, "were trained on unknown parts: a reference is trained on remain alone"),
        (record(["remain"], images_digest="sha256:other"), "other images than the remain part of this cohort"),
    ],
)
def test_other_weights_are_refused_as_a_reference(found, message):
    with pytest.raises(ConfigError, match=message):
        check_reference(found, PATH, data())
