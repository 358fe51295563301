from __future__ import annotations

import json
import re

import pytest
from linked_points import write_points

from monai_unlearn.studio.features_view import features


def shown(tmp_path, classes=("a", "b")):
    write_points(tmp_path)
    return features(tmp_path / "revised_bundle", classes)


def test_an_image_has_a_number_a_part_a_class_and_its_subgroups_and_no_identifier(tmp_path):
    found = shown(tmp_path)
    assert json.loads(found["images"]) == [
        {"part": "forgotten", "class": "a", "device": "Old", "age_band": "40-59"},
        {"part": "kept", "class": "b", "device": "New", "age_band": "40-59"},
        {"part": "kept", "class": "a", "device": "unknown", "age_band": "80+"},
    ]
    assert found["count"] == 3
    assert found["legend"] == [("class-0", "a"), ("class-1", "b")]
    assert "SECRET" not in str(found)


def test_the_same_image_has_the_same_place_in_the_order_of_every_network(tmp_path):
    found = shown(tmp_path)
    assert [kind for kind, _ in found["panels"]] == ["original", "revised", "retrained"]
    across = [[float(x) for x in re.findall(r'cx="([\d.]+)"', str(plot))] for _, plot in found["panels"]]
    # The second and the third image, which are to be kept: by their x in each network, 1 and 2, 0 and 1, 2 and 0.
    assert [left < right for left, right in across] == [True, True, False]
    for _, plot in found["panels"]:
        assert len(re.findall('class="forget class-0"', str(plot))) == 1
        assert re.findall('class="other (class-[01])"', str(plot)) == ["class-1", "class-0"]
        assert 'id="linked-' in plot


def test_each_field_can_be_filtered_by(tmp_path):
    assert shown(tmp_path)["filters"] == [
        ("part", "Part", ["forgotten", "kept"]),
        ("class", "Class", ["a", "b"]),
        ("device", "Device", ["New", "Old", "unknown"]),
        ("age_band", "Age band", ["40-59", "80+"]),
    ]


def test_a_bundle_without_its_evidence_has_none(tmp_path):
    assert features(tmp_path / "revised_bundle", ("a", "b")) is None


def test_other_classes_or_another_file_are_refused(tmp_path):
    with pytest.raises(KeyError, match="b"):
        shown(tmp_path, ("a",))
    write_points(tmp_path).write_bytes(b"x")
    with pytest.raises(ValueError, match="Parquet"):
        features(tmp_path / "revised_bundle", ("a", "b"))
