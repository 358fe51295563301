from __future__ import annotations

import json

import pytest
from comparison_example import metrics
from played_rehearsal import PlayedRehearsal

from monai_unlearn.errors import ConfigError, DataError, TrainingError
from monai_unlearn.experiments import experiment as module
from monai_unlearn.experiments.compare import compare
from monai_unlearn.experiments.comparison_plan import ComparisonPlan

SPACES = {
    "reset": {"method::depth": ["last_block", "head"], "training::rate_factor": [1.0, 2.0]},
    "finetune": {"training::rate_factor": [1.0, 2.0]},
}


@pytest.fixture
def played(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "search_spaces", lambda names, **_: {name: SPACES[name] for name in names})
    played = PlayedRehearsal(tmp_path, monkeypatch)
    played.more = {key: value for key, value in metrics().items() if key not in {"verdict", "why"}}
    return played


def compared(played, *, progress=lambda *_: None, **changed):
    values = {
        "config": played.config,
        "index": played.index,
        "specs": [played.spec, played.spec_of("B")],
        "methods": ["finetune", "reset"],
        "budgets": [0.1, 0.2],
        "trials": 2,
        "fixed": {},
        **changed,
    }
    return compare(ComparisonPlan(**values), played.out, progress=progress)


def test_every_method_gets_the_same_trials_on_every_cohort_and_budget(played):
    seen = []
    document = compared(played, progress=lambda what, done, total: seen.append((what, done, total)))
    assert document == json.loads((played.out / "compare.json").read_text(encoding="utf-8"))
    rows = {(row["cohort"], row["budget"], row["method"]): row for row in document["rows"]}
    assert len(rows) == len(document["rows"]) == 2 * 2 * 2
    assert all(len(row["tried"]) == 2 for row in rows.values())
    assert len(played.runs) == 16 == seen[-1][1] == seen[-1][2]
    # The played reset reads as the retrained networks do: it comes first in each group.
    assert [row["method"] for row in document["rows"]] == ["reset", "finetune"] * 4
    assert {(run["budget"], run["stop"]) for run in played.runs} == {("0.1", "{}"), ("0.2", "{}")}


def test_retrained_networks_are_shared_by_all_methods_of_a_cohort(played):
    compared(played, jobs=2)
    retrain = [run for run in played.runs if run["reference"] == "retrain"]
    assert len(retrain) == 2
    assert len({run["cohort_spec"] for run in retrain}) == 2


def test_a_second_call_keeps_what_is_finished_and_adds_what_is_new(played):
    compared(played, methods=["reset"], budgets=[0.1])
    before = len(played.runs)
    document = compared(played, methods=["reset", "finetune"], budgets=[0.1])
    assert before == 4
    assert len(played.runs) == 8
    assert len(document["rows"]) == 4


@pytest.mark.parametrize(("code", "said"), [(2, "refused its input"), (1, "failed with exit code 1")])
def test_a_method_that_fails_is_a_row_that_says_why(played, code, said):
    played.play = lambda settings: code if "finetune" in settings["method"] else None
    document = compared(played, specs=[played.spec], budgets=[0.1])
    failed = {row["method"]: row for row in document["rows"]}["finetune"]
    assert failed["status"] == "failed"
    assert said in failed["why"]
    assert "what the run said" in failed["why"]
    assert document["rows"][0]["status"] == "finished"


def test_where_everything_fails_so_does_the_comparison(played):
    played.play = lambda _: 1
    with pytest.raises(TrainingError, match="every method failed: a run failed with exit code 1"):
        compared(played, specs=[played.spec])


def test_foreign_folders_and_names_that_occur_twice_are_refused(played):
    played.out.mkdir()
    (played.out / "mine.txt").touch()
    with pytest.raises(ConfigError, match="expected a new or empty folder, or that of an earlier comparison"):
        compared(played)
    (played.out / "mine.txt").unlink()
    with pytest.raises(DataError, match="two specs have the same name"):
        compared(played, specs=[played.spec, played.spec])
