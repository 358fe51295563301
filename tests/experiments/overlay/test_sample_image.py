from __future__ import annotations

import pytest
from tiny import tiny_index, write_images

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay.sample_image import SampleImage


def test_the_first_image_and_the_classes(tmp_path):
    tiny_index(tmp_path)
    found = SampleImage.of(tmp_path / "index", {"device": "ManufacturerModelName"})
    assert found.labels == {"up": 24, "down": 24}
    assert found.item["image"].endswith(".png")
    assert found.item["device"] in ("Old", "New")
    assert found.item["label"] == 0


def test_an_index_without_a_column_of_the_class_has_its_columns(tmp_path):
    tiny_index(tmp_path, label=None)
    found = SampleImage.of(tmp_path / "index", {})
    assert found.labels is None
    assert "ManufacturerModelName" in found.columns


def test_an_index_whose_classes_are_empty(tmp_path):
    tiny_index(tmp_path, frame=write_images(tmp_path / "images").assign(diagnosis=None))
    with pytest.raises(ConfigError, match="has no image with a class"):
        SampleImage.of(tmp_path / "index", {})
