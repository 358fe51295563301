from __future__ import annotations

import copy

import jsonschema
import pytest
from card_example import build
from evidence_example import evidence

from monai_unlearn.card import metric_rows, schema

FULL = {"forget": 90, "remain": 90}
AFTER = {"forget": 50, "remain": 88}


def rows(objective="match_reference", **models):
    return {row["key"]: row for row in metric_rows(evidence(objective=objective, **models))}


def test_rows_are_keyed_by_part_split_and_class():
    found = rows(original=FULL, revised=AFTER)
    assert set(found) == {
        f"accuracy/{part}/{split}/{name}"
        for part in ("forget", "remain")
        for split in ("train", "test")
        for name in ("all", "a", "b")
    }
    row = found["accuracy/forget/test/all"]
    assert (row["n"], row["before"]["value"], row["after"]["value"]) == (100, 0.9, 0.5)
    assert row["change"]["value"] == pytest.approx(-0.4)
    assert row["reference"] is row["after_recalibrated"] is None


@pytest.mark.parametrize(
    ("revised", "reference", "verdict"),
    [(99, 99, "matches_reference"), (50, 52, "undecided"), (10, 60, "below_reference"), (90, 40, "above_reference")],
)
def test_forget_rows_are_judged_by_the_reference(revised, reference, verdict):
    models = {"original": FULL, "revised": {"forget": revised, "remain": 90}}
    row = rows(**models, reference={"forget": reference, "remain": 90})["accuracy/forget/test/all"]
    assert (row["direction"], row["verdict"]) == ("match_reference", verdict)


def test_without_reference_low_forget_accuracy_is_no_merit():
    row = rows(original=FULL, revised={"forget": 0, "remain": 90})["accuracy/forget/test/all"]
    assert row["verdict"] == "no_reference"


@pytest.mark.parametrize(("revised", "verdict"), [(5, "improved"), (88, "undecided"), (100, "degraded")])
def test_to_erase_lower_is_better(revised, verdict):
    found = rows(objective="erase", original={"forget": 80, "remain": 90}, revised={"forget": revised, "remain": 90})
    row = found["accuracy/forget/test/all"]
    assert (row["direction"], row["verdict"]) == ("lower_is_better", verdict)


@pytest.mark.parametrize(("revised", "verdict"), [(100, "improved"), (78, "undecided"), (40, "degraded")])
def test_remain_rows_are_judged_by_what_was(revised, verdict):
    row = rows(original={"forget": 90, "remain": 80}, revised={"forget": 90, "remain": revised})
    assert row["accuracy/remain/test/all"]["verdict"] == verdict


def test_the_difference_fits_its_schema():
    diff = build(original=FULL, revised=AFTER, revised_recalibrated=AFTER, reference=AFTER)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(diff, schema())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("base", "weights_digest"), "md5:1"),
        (("metrics", 0, "before", "value"), 1.2),
        (("metrics", 0, "verdict"), "fine"),
        (("metrics", 0, "key"), "loss"),
        (("objective",), "forget"),
        (("surprise",), 1),
        (("recommendation", "retrain"), "yes"),
    ],
)
def test_the_schema_refuses(path, value):
    diff = copy.deepcopy(build(original=FULL, revised=AFTER))
    target = diff
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError, match=r"is not|does not match|maximum|Additional|valid under"):
        jsonschema.validate(diff, schema())
