from __future__ import annotations

import json

import pytest
from run_files import read


def test_stops_when_enough_is_forgotten(tiny, tmp_path):
    tiny.unlearn(tmp_path / "out", stop={"forget_accuracy": 1.0}, max_epochs=5, eval_interval=2)
    record = read(tmp_path / "out", "run.json")
    assert (record["steps"], record["updates"]["ended_by"]) == (1, "forget_accuracy")
    assert record["updates"]["evaluated_on"] == "forget / validation"


def test_an_estimate_is_what_the_run_then_costs_and_writes_nothing_else(tiny, tmp_path, revised):
    asked = {"reference": "retrain", "reference_seeds": 2, "max_epochs": 2, "stop": {}}
    tiny.unlearn(tmp_path / "out", estimate=str(tmp_path / "estimate.json"), **asked)
    assert [path.name for path in tmp_path.iterdir()] == ["estimate.json"]
    found = json.loads((tmp_path / "estimate.json").read_text(encoding="utf-8"))
    ran, cost = read(revised[0], "run.json"), read(revised[0], "metrics.json")["cost"]["gradient_evaluations"]
    assert found["steps"] == ran["steps"]
    assert found["networks_to_retrain"] == 2
    assert found["retraining_gradient_evaluations"] == pytest.approx(cost["retraining"], rel=0.05)
    assert found["gradient_evaluations"]["unlearning"] == pytest.approx(cost["unlearning"], rel=0.5)
    assert found["seconds"]["unlearning"] >= 0
