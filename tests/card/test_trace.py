from __future__ import annotations

import pytest
from card_example import CLOSE, FULL, RETRAINED, build, rich
from evidence_example import evidence
from jsonpointer import resolve_pointer

from monai_unlearn.card.trace import metric_pointer, pointer, subgroup_pointer

MODELS = {"original": FULL, "revised": CLOSE, "revised_recalibrated": CLOSE, **RETRAINED}
EVIDENCE = evidence(**MODELS)
DIFF = build(**MODELS)


@pytest.mark.parametrize("column", ["before", "after", "after_recalibrated", "change"])
def test_every_figure_of_a_row_of_metrics_is_found(column):
    for row in DIFF["metrics"]:
        assert resolve_pointer(EVIDENCE, metric_pointer(row, column)) == row[column]["value"], row["key"]
        assert resolve_pointer(EVIDENCE, metric_pointer(row, "n")) == row["n"]


def test_figures_of_retrained_networks_are_found():
    for row in DIFF["metrics"]:
        for one in row["retrained"]:
            found = metric_pointer(row, "retrained", network=one["network"])
            assert resolve_pointer(EVIDENCE, found) == one["value"]


def test_sections_that_were_taken_over_stand_at_the_same_place():
    for name in ("decision", "true_class", "forgetting", "audits", "cost", "counts", "class_names"):
        assert DIFF[name] == EVIDENCE[name]
    for path in (("networks", "revised"), ("change",)):
        at = pointer("confusion", *path)
        assert resolve_pointer(DIFF, at) == resolve_pointer(EVIDENCE, at)


def test_figures_of_subgroups():
    row = {"metric": "sensitivity", "part": "remain", "split": "test", "slice": "device", "value": "A/B"}
    assert subgroup_pointer(row, "after", number=3) == "/slices/revised/remain/test/device/A~1B/sensitivity/value"
    accuracy = subgroup_pointer({**row, "metric": "accuracy"}, "before", number=3)
    assert accuracy == "/slices/original/remain/test/device/A~1B/accuracy"
    assert subgroup_pointer(row, "n", number=3) == "/slices/original/remain/test/device/A~1B/n"


def test_figures_of_sites_are_found_in_the_card_without_their_names():
    diff = rich()
    sites = [(number, row) for number, row in enumerate(diff["subgroups"]["rows"]) if row["slice"] == "site"]
    assert len(sites) == 6
    for number, row in sites:
        assert resolve_pointer(diff, subgroup_pointer(row, "after", number=number)) == row["after"]["value"]
        assert resolve_pointer(diff, subgroup_pointer(row, "patients", number=number)) == row["patients"]
