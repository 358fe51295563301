from __future__ import annotations

import json

import pytest
from played_rehearsal import PlayedRehearsal

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.draw import given_cohort
from monai_unlearn.experiments.rehearsal_runs import SET_BY_REHEARSE, RehearsalRuns, metrics_of
from monai_unlearn.index import Index

RESET = {"method::depth": "head", "training::rate_factor": 2.0}


@pytest.fixture
def played(tmp_path, monkeypatch):
    return PlayedRehearsal(tmp_path, monkeypatch)


def runs_of(played, **changed):
    index = Index.open(played.index)
    values = {"fixed": {}, "seeds": 3, **changed}
    return RehearsalRuns(config=played.config, index=played.index, index_digest=index.digest, out=played.out, **values)


def cohort(played, device="A"):
    return given_cohort(played.spec_of(device), Index.open(played.index))


def test_a_run_has_the_cohort_the_method_and_no_stop(played):
    run = runs_of(played, fixed={"device": "cpu"}).run(cohort(played), "reset", RESET)
    assert json.loads(run.settings["method"]) == {"name": "reset", "depth": "head"}
    assert {key: run.settings[key] for key in ("training::rate_factor", "stop", "reference", "device")} == {
        "training::rate_factor": "2.0",
        "stop": "{}",
        "reference": "retrain",
        "device": "cpu",
    }
    assert set(run.settings) & SET_BY_REHEARSE.keys() == {
        "index_dir",
        "cohort_spec",
        "reference",
        "reference_seeds",
        "subsets::splits",
        "stop",
        "method",
    }


def test_a_cohort_is_retrained_once_and_a_finished_run_stays(played):
    runs, one = runs_of(played), cohort(played)
    first = runs.finish(one, "reset", RESET)
    runs.finish(one, "finetune", {})
    runs.finish(one, "reset", RESET)
    assert [run["reference"] == "retrain" for run in played.runs] == [True, False]
    kept = [str(first.reference(seed) / "model.pt") for seed in (1, 2, 3)]
    assert json.loads(played.runs[1]["reference"]) == kept
    assert metrics_of(first)["basis"] == "reference"


def test_what_decides_a_run_names_it(played):
    one = cohort(played)
    base = runs_of(played)
    folder = base.run(one, "reset", RESET).folder
    assert base.run(one, "reset", dict(RESET)).folder == folder
    others = [
        base.run(one, "reset", {**RESET, "method::depth": 2}).folder,
        base.run(one, "reset", RESET, predictor="x").folder,
        base.run(cohort(played, "B"), "reset", RESET).folder,
        runs_of(played, seeds=4).run(one, "reset", RESET).folder,
        runs_of(played, fixed={"seed": "1"}).run(one, "reset", RESET).folder,
    ]
    played.config.write_text("split: {}\n", encoding="utf-8")
    others.append(runs_of(played).run(one, "reset", RESET).folder)
    assert len({folder, *others}) == 7


def test_another_method_budget_margin_or_audit_does_not_retrain(played):
    one = cohort(played)
    runs_of(played).finish(one, "reset", RESET)
    fixed = {"budget": "0.3", "decision::min_patients": "25", "audits": "[]", "audit_share": "1"}
    other = runs_of(played, fixed={**fixed, "method::temperature": "3"}).finish(one, "reset", RESET)
    assert [run["reference"] == "retrain" for run in played.runs] == [True, False]
    assert other.references() == []


def test_an_erasing_decision_is_refused(played):
    with pytest.raises(ConfigError, match="every run here is compared .* erase.*decision::objective=match_reference"):
        runs_of(played, fixed={"decision::objective": "erase"}).finish(cohort(played), "reset", RESET)
