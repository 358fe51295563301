from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from monai_unlearn.engine.training_record import check_original, check_reference, images_digest, record_of
from monai_unlearn.errors import ConfigError

IMAGES = {"forget": ["image-1", "image-2"], "remain": ["image-3"]}
SPLIT = {"seed": 0, "test_fraction": 0.2}
PATH = Path("models/training.json")


def data(images=IMAGES):
    def items(parts, split):
        assert split == "train"
        return [{"image_id": name} for part in parts for name in images.get(part, ())]

    return SimpleNamespace(items=items, split_rule=SimpleNamespace(to_dict=lambda: dict(SPLIT)))


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
