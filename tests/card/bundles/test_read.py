from __future__ import annotations

import json
from pathlib import PurePath

import pytest
from card_example import CLOSE, FULL, build
from two_bundles import INFERENCE, METADATA, write_bundle

from monai_unlearn.card.bundles.read import read_bundle, read_card
from monai_unlearn.errors import ConfigError
from monai_unlearn.vocabulary.bundle_files import is_weights


def test_a_bundle_of_others_is_read_as_data(tmp_path):
    found = read_bundle(write_bundle(tmp_path / "a"))
    assert found["identity"]["name"] == "Lungs"
    assert found["metadata"] == METADATA
    assert found["configs"] == {"inference.json": INFERENCE}
    assert found["labels"] == {"pred": {"0": "background", "1": "nodule"}}
    assert found["metrics"] == {"mean_dice": 0.9}
    assert list(found["weights"]) == ["models/model.pt"]
    assert len(found["weights"]["models/model.pt"]["sha256"]) == 64
    assert list(found["scripts"]) == ["scripts/net.py"]
    assert found["verdict"] is None


def test_a_card_of_ours_gives_the_verdict_and_what_is_beyond(tmp_path):
    card = build(original=FULL, revised=CLOSE)
    card["decision"]["endpoints"][0]["status"] = "beyond"
    found = read_bundle(write_bundle(tmp_path / "a", card=card))["verdict"]
    assert (found["verdict"], found["action"]) == ("not_known", "not_known")
    assert len(found["beyond"]) == 1


def test_what_is_downloaded_is_read_by_its_path(tmp_path):
    root = write_bundle(tmp_path / "a")
    entry = "- path: models/model.ts\n  url: https://example.org/x\n  hash_val: 12ab\n  hash_type: md5\n"
    (root / "large_files.yml").write_text(f"large_files:\n{entry}- 3\n", encoding="utf-8")
    assert read_bundle(root)["downloads"]["models/model.ts"]["hash_val"] == "12ab"
    (root / "large_files.yml").write_text("large_files: none", encoding="utf-8")
    assert read_bundle(root)["downloads"] == {}


def test_configs_of_two_folders_with_the_same_name_are_told_apart(tmp_path):
    root = write_bundle(tmp_path / "a")
    for folder, value in (("ct", 1), ("mr", 2)):
        (root / "configs" / folder).mkdir()
        (root / "configs" / folder / "train.json").write_text(json.dumps({"a": value}), encoding="utf-8")
        (root / "configs" / folder / "metadata.json").write_text("{}", encoding="utf-8")
    found = read_bundle(root)["configs"]
    assert (found["ct/train.json"], found["mr/train.json"]) == ({"a": 1}, {"a": 2})
    assert {"ct/metadata.json", "mr/metadata.json", "inference.json"} < set(found)


def test_weights_are_what_a_revision_takes_for_weights_wherever_they_lie(tmp_path):
    root = write_bundle(tmp_path / "a")
    (root / "docs" / "old").mkdir()
    for name in ("models/model.PTH", "models/plan.engine", "docs/old/model.pth.tar", "scripts/encoder.ckpt"):
        (root / name).write_bytes(b"weights")
        assert is_weights(PurePath(name))
    (root / "large_files.yml").write_text("large_files: [{path: a.pt}]", encoding="utf-8")
    (root / "docs" / "large_files.json").write_text('{"large_files": [{"path": "b.pt"}]}', encoding="utf-8")
    found = read_bundle(root)
    assert list(found["weights"]) == [
        "docs/old/model.pth.tar",
        "models/model.PTH",
        "models/model.pt",
        "models/plan.engine",
        "scripts/encoder.ckpt",
    ]
    assert set(found["downloads"]) == {"a.pt", "b.pt"}


def test_a_config_that_is_no_plain_data_is_named_by_its_digest(tmp_path):
    root = write_bundle(tmp_path / "a")
    (root / "configs" / "train.yaml").write_text("a: &x 1\nb: *x\n", encoding="utf-8")
    (root / "configs" / "broken.json").write_text("{", encoding="utf-8")
    found = read_bundle(root)["configs"]
    assert {name: set(one) for name, one in found.items() if name != "inference.json"} == {
        "train.yaml": {"unreadable", "sha256"},
        "broken.json": {"unreadable", "sha256"},
    }


def test_nothing_outside_the_bundle_is_read(tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text('{"a": "SECRET"}', encoding="utf-8")
    root = write_bundle(tmp_path / "a")
    (root / "configs" / "link.json").symlink_to(secret)
    (root / "docs" / "model_card_diff.json").symlink_to(secret)
    assert "SECRET" not in json.dumps(read_bundle(root))
    assert read_card(root) is None


@pytest.mark.parametrize("content", [None, "{", "[]", "[" * 100_000])
def test_a_folder_without_metadata_is_refused(tmp_path, content):
    (tmp_path / "configs").mkdir()
    if content is not None:
        (tmp_path / "configs" / "metadata.json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="metadata.json"):
        read_bundle(tmp_path)


def test_a_card_that_is_no_object_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected the JSON of a card"):
        read_card(write_bundle(tmp_path / "a", card=[1]))


def test_metadata_of_another_form_are_taken_as_they_are(tmp_path):
    odd = {"network_data_format": [1], "eval_metrics": "good", "name": None}
    found = read_bundle(write_bundle(tmp_path / "a", metadata=odd))
    assert (found["labels"], found["metrics"]) == ({}, {})
