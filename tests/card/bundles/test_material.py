from __future__ import annotations

from typing import get_args

import pytest
from card_example import CLOSE, FULL, build
from two_bundles import METADATA, weights, write_bundle

from monai_unlearn.card.bundles.material import Kind, material
from monai_unlearn.card.bundles.read import read_bundle

CARD = build(original=FULL, revised=CLOSE)
FORMAT = METADATA["network_data_format"]


def kinds(tmp_path, old=None, **new):
    before = read_bundle(write_bundle(tmp_path / "old", **(old or {})))
    return [one["kind"] for one in material(before, read_bundle(write_bundle(tmp_path / "new", **new)))]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"state": weights(0.1)}, "weights"),
        (
            {"metadata": {"network_data_format": {**FORMAT, "outputs": {"pred": {"channel_def": {"0": "x"}}}}}},
            "classes",
        ),
        ({"metadata": {"network_data_format": {**FORMAT, "inputs": {}}}}, "preprocessing"),
        ({"inference": {"preprocessing": {}}}, "preprocessing"),
        # What preprocessing refers to.
        ({"inference": {"size": [64, 64]}}, "preprocessing"),
        ({"card": CARD}, "verdict"),
    ],
)
def test_each_kind_of_material_change(tmp_path, change, kind):
    assert kinds(tmp_path, **change) == [kind]
    assert kind in get_args(Kind)


@pytest.mark.parametrize(
    "change",
    [{}, {"metadata": {"version": "2.0.0", "eval_metrics": {"mean_dice": 0.1}}}, {"inference": {"epochs": 9}}],
)
def test_other_changes_are_not_material(tmp_path, change):
    assert kinds(tmp_path, **change) == []


def test_an_endpoint_beyond_its_margin_is_material_even_under_the_same_verdict(tmp_path):
    beyond = build(original=FULL, revised=CLOSE)
    beyond["decision"]["endpoints"][0]["status"] = "beyond"
    assert kinds(tmp_path, old={"card": CARD}, card=beyond) == ["endpoint"]


def test_files_of_weights_that_come_and_go(tmp_path):
    old, new = write_bundle(tmp_path / "a"), write_bundle(tmp_path / "b")
    (new / "models" / "model.ts").write_bytes(b"x")
    (old / "models" / "old.pth").write_bytes(b"x")
    texts = [one["text"] for one in material(read_bundle(old), read_bundle(new))]
    assert texts == ["models/model.ts was added.", "models/old.pth is gone."]


def test_weights_that_are_downloaded_count_by_their_digest(tmp_path):
    roots = [write_bundle(tmp_path / name) for name in "ab"]
    for number, root in enumerate(roots):
        (root / "models" / "model.pt").unlink()
        entry = f"large_files: [{{path: models/model.pt, url: here, hash_val: h{number}}}]"
        (root / "large_files.yml").write_text(entry, encoding="utf-8")
    old, new = map(read_bundle, roots)
    assert [one["kind"] for one in material(old, new)] == ["weights"]
    assert material(old, old) == []


def test_a_config_that_cannot_be_read_may_hold_anything(tmp_path):
    old, new = write_bundle(tmp_path / "a"), write_bundle(tmp_path / "b")
    for root, content in ((old, "a: &x 1"), (new, "a: &x 2")):
        (root / "configs" / "train.yaml").write_text(content, encoding="utf-8")
    found = material(read_bundle(old), read_bundle(new))
    assert [one["kind"] for one in found] == ["preprocessing"]
    assert "cannot be read as plain data" in found[0]["text"]
