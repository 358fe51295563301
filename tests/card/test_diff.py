from __future__ import annotations

import jsonschema
import pytest
from card_example import DIGEST, build
from evidence_example import evidence

from monai_unlearn.card import build_diff, metric_rows
from monai_unlearn.evaluation.metrics import registered

FULL = {"forget": 90, "remain": 90}
AFTER = {"forget": 50, "remain": 88}


def rows(objective="match_reference", **models):
    return {row["key"]: row for row in metric_rows(evidence(objective=objective, **models))}


def test_rows_are_keyed_by_part_split_and_class():
    found = rows(original=FULL, revised=AFTER)
    subsets = [(part, split) for part in ("forget", "remain") for split in ("train", "test")]
    # Only accuracy is shown class by class.
    assert list(found) == [
        *(f"accuracy/{part}/{split}/{name}" for part, split in subsets for name in ("all", "a", "b")),
        *(f"{metric}/{part}/{split}/all" for metric in list(registered())[1:] for part, split in subsets),
    ]
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
def test_remain_rows_are_judged_by_the_original(revised, verdict):
    row = rows(original={"forget": 90, "remain": 80}, revised={"forget": 90, "remain": revised})
    assert row["accuracy/remain/test/all"]["verdict"] == verdict


def test_low_loss_is_no_merit_to_erase():
    found = rows(objective="erase", original={"forget": 95, "remain": 90}, revised={"forget": 5, "remain": 5})
    assert (found["log_loss/forget/test/all"]["direction"], found["log_loss/forget/test/all"]["verdict"]) == (
        "higher_is_better",
        "improved",
    )
    assert (found["log_loss/remain/test/all"]["direction"], found["log_loss/remain/test/all"]["verdict"]) == (
        "lower_is_better",
        "degraded",
    )


def test_holds_the_evidence_and_its_rows():
    diff = build(original=FULL, revised=AFTER, revised_recalibrated=AFTER, reference=AFTER)
    found = evidence(original=FULL, revised=AFTER, revised_recalibrated=AFTER, reference=AFTER)
    assert diff["metrics"] == list(metric_rows(found))
    for key in ("objective", "forgetting", "cost", "criteria", "accepted", "recommendation", "warnings"):
        assert diff[key] == found[key]


def test_what_does_not_fit_the_schema_is_refused():
    model = {"name": "Some", "version": "1", "weights_digest": DIGEST}
    with pytest.raises(jsonschema.ValidationError, match="'reason' is a required property"):
        build_diff(base=model, revised=model, modification={}, evidence=evidence(original=FULL, revised=AFTER))
