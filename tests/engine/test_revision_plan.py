from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from run_files import read

from monai_unlearn.engine.revision_plan import _measured_references, _retraining_cost, keep_to_budget
from monai_unlearn.errors import ConfigError


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


def known(*, gap=0.0, files=(), seeds=(), record=None, budget=0.5, one_shot=False):
    counts = {"forget": {"train": 10}, "remain": {"train": 30}}
    trainer = SimpleNamespace(method=SimpleNamespace(one_shot=one_shot), takes_a_budget=True)
    settings = SimpleNamespace(
        stop_rule=SimpleNamespace(gap_to_reference=gap),
        trainer=trainer,
        budget=budget,
        data=SimpleNamespace(counts=lambda: counts),
        checkpoint_path=Path("weights.pt"),
    )
    return SimpleNamespace(settings=settings, wanted=SimpleNamespace(files=files, seeds=seeds), record=record or {})


def test_only_references_that_a_stop_condition_compares_with_are_evaluated_on_the_way():
    assert _measured_references(known(seeds=(1, 2, 3))) == 3
    assert _measured_references(known(files=("a.pt", "b.pt"))) == 2
    assert _measured_references(known(gap=None, seeds=(1, 2, 3))) == 0


def test_retraining_costs_what_training_did_for_the_images_that_remain():
    assert _retraining_cost(known(record={"gradient_evaluations": 120, "images": 40})) == 90
    assert _retraining_cost(known()) is None


def test_a_budget_sets_nothing_where_none_is_given_or_something_else_says_how_long_the_run_is():
    assert keep_to_budget(known(budget=None)) is None
    phased = known()
    phased.settings.trainer.takes_a_budget = False
    assert keep_to_budget(phased) is None


def test_only_a_method_without_steps_may_have_a_budget_of_an_unknown_cost():
    assert keep_to_budget(known(one_shot=True)) is None
    with pytest.raises(ConfigError, match="budget: no training record beside weights.pt says what training cost"):
        keep_to_budget(known())
