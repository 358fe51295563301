from __future__ import annotations

import json

import pytest
from zoo_classifiers import LAYOUTS, write_bundle

from monai_unlearn.experiments.overlay.checks import check_bundle
from monai_unlearn.experiments.overlay.facts import BundleFacts
from monai_unlearn.experiments.overlay.settings import Choices


def found(root, **choices):
    return {one.code: one for one in check_bundle(BundleFacts.read(root), Choices(**choices))}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("breast_density", {"pretrained", "sigmoid"}),
        ("endoscopic_inbody", set()),
        ("pathology_tumor", {"no_loader", "pretrained"}),
        ("pathology_nuclei", {"label_is_file"}),
        ("template", set()),
        ("densenet_3d", set()),
    ],
)
def test_each_layout(name, expected, tmp_path):
    assert set(found(write_bundle(tmp_path / "bundle", LAYOUTS[name]()))) == expected


def test_a_column_answers_for_a_file(tmp_path):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["pathology_nuclei"]())
    assert "--column label=COLUMN" in found(root)["label_is_file"].do
    assert not found(root, columns={"label_file": "mask"})


def test_another_key_that_is_a_file(tmp_path):
    root = changed(tmp_path, lambda config: config["preprocessing"]["transforms"][0].update(keys=["image", "t2"]))
    assert "'t2' is not there" in found(root)["key_is_file"].what


def test_no_loader_names_what_reads_instead_and_stops_where_the_range_is_unknown(tmp_path):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["pathology_tumor"]())
    assert "its data set, MaskedPatchWSIDataset, does" in found(root)["no_loader"].what
    path = root / "configs" / "metadata.json"
    path.write_text(path.read_text().replace("255", "4095"))
    assert found(root)["no_loader"].stops


def test_no_network_and_no_preprocessing(tmp_path):
    root = changed(tmp_path, lambda config: [config.pop(name) for name in ("network_def", "preprocessing")])
    assert {code for code, one in found(root).items() if one.stops} == {"no_network_def", "no_preprocessing"}


def test_weights_that_are_not_there_or_named_otherwise(tmp_path):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["breast_density"]())
    path = root / "configs" / "inference.json"
    path.write_text(path.read_text().replace("/model.pt", "/best.pt"))
    (root / "models" / "model.pt").rename(root / "models" / "best.pt")
    assert "models/best.pt" in found(root)["other_weights"].what
    (root / "models" / "best.pt").unlink()
    assert not found(root)["no_weights"].stops


def test_a_range_that_nothing_says_is_noted(tmp_path):
    def without_scaling(config):
        steps = config["preprocessing"]["transforms"]
        config["preprocessing"]["transforms"] = [one for one in steps if "Scale" not in one["_target_"]]

    assert "0 to 1 is assumed" in found(changed(tmp_path, without_scaling))["pixel_space"].what


def test_an_image_under_another_key_without_a_loader(tmp_path):
    root = changed(
        tmp_path, lambda config: config["preprocessing"].update(transforms=[{"_target_": "ToTensord", "keys": "img"}])
    )
    assert "'img'" in found(root)["renamed_key"].what


def changed(tmp_path, change):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["breast_density"]())
    path = root / "configs" / "inference.json"
    config = json.loads(path.read_text())
    config["network_def"].pop("pretrained")
    change(config)
    path.write_text(json.dumps(config))
    return root
