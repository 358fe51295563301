"""Values of DICOM JSON, however malformed."""

from __future__ import annotations

import pytest

from monai_unlearn.pacs.items import count, is_items, tag_of, text, values


def test_tags_are_eight_digits():
    assert tag_of("PixelData") == "7FE00010"
    with pytest.raises(ValueError, match="Nothing"):
        tag_of("Nothing")


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ({"vr": "LO", "Value": [" A "]}, "A"),
        ({"vr": "IS", "Value": [3]}, "3"),
        ({"vr": "LO"}, None),
        ({"vr": "LO", "Value": [None]}, None),
        ({"vr": "LO", "Value": [""]}, None),
        ({"vr": "SQ", "Value": [{}]}, None),
        ({"vr": "LO", "Value": "A"}, None),
        ("A", None),
        (None, None),
    ],
)
def test_the_first_value_as_text(element, found):
    assert text({"00100020": element}, "00100020") == found


def test_counts_and_lists():
    assert count({"00201208": {"Value": ["12"]}}, "00201208") == 12
    assert count({"00201208": {"Value": ["many"]}}, "00201208") is None
    assert values({}, "00201208") == []
    assert is_items([{}])
    assert not is_items({"a": 1})
    assert not is_items([1])
