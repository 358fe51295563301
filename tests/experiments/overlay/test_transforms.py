from __future__ import annotations

from pathlib import Path

from monai_unlearn.experiments.overlay.config_data import ConfigData
from monai_unlearn.experiments.overlay.transforms import Preprocessing, keys_of


def preprocessing(**content):
    return Preprocessing.of(ConfigData(path=Path("inference.json"), content=content))


LOAD = {"_target_": "LoadImaged", "keys": ["image", "label"]}
SCALE = {"_target_": "ScaleIntensityd", "keys": "image"}


def test_transforms_are_found_through_references_and_compositions():
    found = preprocessing(
        preprocessing={"_target_": "Compose", "transforms": "$@base + @more"},
        base=[LOAD],
        more=[{"_target_": "Compose", "transforms": [SCALE]}],
    )
    assert found.transforms == (LOAD, SCALE)
    assert found.loaders == [LOAD]
    assert found.image_key == "image"
    assert found.file_keys == ["label"]


def test_a_list_under_another_name():
    found = preprocessing(pre_transforms=[SCALE])
    assert found.name == "pre_transforms"
    assert found.loaders == []
    assert found.image_key == "image"


def test_there_may_be_none():
    assert preprocessing(network_def={}) is None


def test_keys_are_renamed_and_other_arguments_are_not():
    found = preprocessing(
        preprocessing=[LOAD, {"_target_": "Guide", "keys": "image", "source": "label", "mode": "label"}]
    )
    assert found.renamed({"label": "label_file"}) == [
        {"_target_": "LoadImaged", "keys": ["image", "label_file"]},
        {"_target_": "Guide", "keys": "image", "source": "label_file", "mode": "label"},
    ]
    assert keys_of({}) == []
