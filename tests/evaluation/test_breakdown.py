from __future__ import annotations

import json
from dataclasses import replace

import pytest
from decision_example import binary, everywhere, table

from monai_unlearn.evaluation.breakdown import confusions, slices
from monai_unlearn.evaluation.confusion import confusion_difference
from monai_unlearn.evaluation.slice_table import slice_table

SUBSETS = ("forget_train", "remain_test")
SHARES = {
    "original": everywhere(binary(0.95, 0.9)),
    "original_recalibrated": everywhere(binary(0.95, 0.9)),
    "revised": everywhere(binary(0.7, 0.6)),
    "reference-1": everywhere(binary(0.8, 0.5)),
    "reference-2": everywhere(binary(0.8, 0.6)),
}


@pytest.fixture(scope="module")
def made():
    found = table(SHARES, patients=30)
    sexes = ["F" if row % 2 else "M" for row in range(len(found.frame))]
    return replace(found, frame=found.frame.assign(**{"slice:sex": sexes}))


def test_every_network_but_the_controls_is_measured_in_every_slice(made):
    found = slices(made, SUBSETS, healthy_classes=["healthy"])
    assert set(found) == {"original", "revised", "reference-1", "reference-2"}
    assert {part: list(splits) for part, splits in found["revised"].items()} == {
        "forget": ["train"],
        "remain": ["test"],
    }
    expected = slice_table(made, "revised", part="remain", split="test", healthy_classes=["healthy"])
    assert found["revised"]["remain"]["test"] == expected
    women = expected["sex"]["F"]
    assert (women["n"], women["patients"]) == (30, 30)
    assert 0 < women["specificity"]["value"] < 1
    assert 0 < women["sensitivity"]["value"] < 1
    json.dumps(found, allow_nan=False)


def test_without_slices_there_is_nothing_to_break_down(made):
    assert slices(table(SHARES, patients=30), SUBSETS) == {}


def test_confusion_of_every_network_and_how_far_the_revised_one_is_from_each(made):
    found = confusions(made, SUBSETS)
    assert found["networks"]["revised"]["forget"]["train"]["counts"] == [[21, 9], [12, 18]]
    assert set(found["gaps"]) == {"reference-1", "reference-2"}
    where = {"part": "forget", "split": "train"}
    assert found["change"]["forget"]["train"] == confusion_difference(made, "original", "revised", **where)
    assert found["gaps"]["reference-1"]["forget"]["train"] == confusion_difference(
        made, "reference-1", "revised", **where
    )
    json.dumps(found, allow_nan=False)
