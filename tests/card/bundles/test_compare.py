from __future__ import annotations

import json

import jsonpatch
from two_bundles import weights, write_bundle

from monai_unlearn.card.bundles.compare import compare_bundles
from monai_unlearn.card.bundles.read import read_bundle


def pair(tmp_path):
    old = write_bundle(tmp_path / "a")
    metadata = {"version": "1.1.0", "a/b": 1, "eval_metrics": {"mean_dice": 0.8}}
    new = write_bundle(tmp_path / "b", metadata=metadata, inference={"epochs": 4}, state=weights(0.5))
    (new / "scripts" / "more.py").write_text("", encoding="utf-8")
    (new / "configs" / "train.yaml").write_text("a: 1", encoding="utf-8")
    return old, new


def test_the_patch_makes_the_new_bundle_of_the_old_one(tmp_path):
    old, new = pair(tmp_path)
    found = compare_bundles(old, new)
    assert jsonpatch.apply_patch(read_bundle(old), found["patch"]) == read_bundle(new)
    assert json.loads(json.dumps(found)) == found


def test_every_part_says_what_changed(tmp_path):
    found = compare_bundles(*pair(tmp_path))
    assert found["identity"] == [{"path": "/version", "old": "1.0.0", "new": "1.1.0"}]
    assert {"path": "/a~1b", "old": None, "new": 1} in found["metadata"]
    assert found["metrics"] == [{"path": "/mean_dice", "old": 0.9, "new": 0.8}]
    assert found["labels"] == []
    assert found["configs"]["inference.json"]["patch"] == [{"op": "replace", "path": "/epochs", "value": 4}]
    assert found["configs"]["train.yaml"] == {"status": "added"}
    assert found["scripts"] == {"scripts/more.py": {"status": "added"}, "scripts/net.py": {"status": "same"}}
    assert found["weights"]["models/model.pt"]["layers"][1]["change"] == 1.0
    assert [one["kind"] for one in found["material"]] == ["weights"]


def test_a_bundle_does_not_differ_from_itself(tmp_path):
    root = write_bundle(tmp_path / "a")
    found = compare_bundles(root, root)
    assert found["patch"] == found["material"] == found["metadata"] == []
    assert found["configs"] == {"inference.json": {"status": "same"}}
