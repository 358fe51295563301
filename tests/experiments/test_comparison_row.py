from __future__ import annotations

import pytest
from comparison_example import metrics

from monai_unlearn.experiments.comparison_row import COLUMNS, finished, flat, refused

WHO = {"cohort": "camera", "method": "reset", "budget": 0.1}


def test_a_row_takes_its_measures_from_the_evidence():
    row = finished(WHO, metrics(), settings={"method::depth": "head"}, objective=0.25)
    assert row["distance_ratio"] == {
        "value": 1.2,
        "interval": [pytest.approx(1.1), pytest.approx(1.3)],
        "original": 2.0,
        "retrained": [1.0, 1.1],
    }
    assert row["recall_gap_forget_test"] is None  # that audit did not run
    assert (row["forget_gap"], row["remain_gap"]) == (pytest.approx(0.6 - 0.55), pytest.approx(0.9 - 0.93))
    assert row["retrained_gaps"] == [
        [pytest.approx(-0.05), pytest.approx(-0.01)],
        [pytest.approx(0.05), pytest.approx(0.01)],
    ]
    assert row["classes"]["up"] == {"original": 1.0, "revised": 0.7, "retrained": pytest.approx(0.7)}
    text = flat(row)
    assert tuple(text) == COLUMNS
    assert (text["distance_ratio"], text["relearning"], text["agreement"]) == ("1.2", "0.5", "")
    assert (text["settings"], text["share_of_retraining"]) == ("depth head", "0.11")


def test_a_run_without_retrained_networks_has_no_gap():
    alone = metrics()
    alone["models"] = {name: one for name, one in alone["models"].items() if not name.startswith("reference")}
    row = finished(WHO, alone)
    assert (row["forget_gap"], row["retrained_gaps"]) == (None, [])
    assert row["classes"]["up"]["retrained"] is None


def test_a_refused_row_says_why():
    row = refused(WHO, "it needs snapshots.")
    assert flat(row)["status"] == "failed"
    assert flat(row)["why"] == "it needs snapshots."


def test_a_class_without_images_has_no_row():
    found = metrics()
    for model in found["models"].values():
        model["forget"]["test"]["classes"]["down"] = {"n": 0, "accuracy": None}
    assert set(finished({"method": "reset"}, found)["classes"]) == {"up"}


def test_a_row_of_the_default_says_what_it_chose_and_why():
    method = {"name": "shrink_perturb", "chosen_by": "default", "ground": "because the cohort is a device"}
    row = finished({**WHO, "method": "default"}, {**metrics(), "method": method}, settings={})
    assert row["chose"] == {"name": "shrink_perturb", "ground": "because the cohort is a device"}
    assert flat(row)["settings"] == "chose shrink_perturb"
    named = finished(WHO, {**metrics(), "method": {**method, "chosen_by": "user"}}, settings={})
    assert (named["chose"], flat(named)["settings"]) == (None, "")
