from __future__ import annotations

import jsonschema
import pytest
from card_example import DIGEST, build
from evidence_example import evidence

from monai_unlearn.card import build_diff, metric_rows
from monai_unlearn.card.diff import BY_CLASS
from monai_unlearn.evaluation.metrics import registered

FULL = {"forget": 90, "remain": 90}
AFTER = {"forget": 50, "remain": 88}


def rows(**models):
    return {row["key"]: row for row in metric_rows(evidence(**models))}


def test_rows_are_keyed_by_part_split_and_class():
    found = rows(original=FULL, revised=AFTER)
    subsets = [(part, split) for part in ("forget", "remain") for split in ("train", "test")]
    # What is counted per class is shown class by class.
    assert list(found) == [
        f"{metric}/{part}/{split}/{name}"
        for metric in registered()
        for part, split in subsets
        for name in (("all", "a", "b") if metric in BY_CLASS else ("all",))
    ]
    row = found["accuracy/forget/test/all"]
    assert (row["n"], row["before"]["value"], row["after"]["value"]) == (100, 0.9, 0.5)
    assert row["change"]["value"] == pytest.approx(-0.4)
    assert row["reference"] is row["after_recalibrated"] is None
    assert row["retrained"] == []


def test_rows_have_every_retrained_network():
    row = rows(original=FULL, revised=AFTER, reference=AFTER, reference_2=FULL)["accuracy/forget/test/all"]
    assert [(one["network"], one["value"]) for one in row["retrained"]] == [("reference", 0.5), ("reference_2", 0.9)]


def test_holds_the_evidence_and_its_rows():
    diff = build(original=FULL, revised=AFTER, revised_recalibrated=AFTER, reference=AFTER)
    found = evidence(original=FULL, revised=AFTER, revised_recalibrated=AFTER, reference=AFTER)
    assert diff["metrics"] == list(metric_rows(found))
    for key in (
        "class_names",
        "counts",
        "true_class",
        "verdict",
        "why",
        "needs",
        "basis",
        "decision",
        "forgetting",
        "audits",
        "cost",
        "warnings",
    ):
        assert diff[key] == found[key]
    assert set(diff["confusion"]["networks"]) == {"original", "revised"}
    assert diff["metric_info"]["log_loss"]["percent"] is False
    assert diff["bundle"]["task"] == "Reading"


def test_what_does_not_fit_the_schema_is_refused():
    model = {"name": "Some", "version": "1", "weights_digest": DIGEST}
    with pytest.raises(jsonschema.ValidationError, match="'reason' is a required property"):
        build_diff(
            base=model,
            revised=model,
            modification={"cohort": {"patients_in_both": 0}},
            evidence=evidence(original=FULL, revised=AFTER),
        )
