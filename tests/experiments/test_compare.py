from __future__ import annotations

import json

import pytest
from comparison_example import metrics
from played_rehearsal import PlayedRehearsal

from monai_unlearn.errors import ConfigError, DataError, TrainingError
from monai_unlearn.experiments import comparison_report
from monai_unlearn.experiments import experiment as module
from monai_unlearn.experiments.compare import compare
from monai_unlearn.experiments.comparison_plan import ComparisonPlan

SPACES = {
    "reset": {"method::depth": ["last_block", "head"], "training::rate_factor": [1.0, 2.0]},
    "finetune": {"training::rate_factor": [1.0, 2.0]},
}


@pytest.fixture
def played(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "search_spaces", lambda names, **_: {name: SPACES.get(name, {}) for name in names})
    monkeypatch.setattr(comparison_report, "plots", lambda _: {})  # they take longer than all else
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
    # Two trials, and the one that was chosen once more.
    assert len(played.runs) == 24 == seen[-1][1] == seen[-1][2]
    # The played reset reads as the retrained networks do: it comes first in each group.
    assert [row["method"] for row in document["rows"]] == ["reset", "finetune"] * 4
    assert {(run["budget"], run["stop"]) for run in played.runs} == {("0.1", "{}"), ("0.2", "{}")}


def test_only_some_settings_vary_where_that_is_asked_for(played):
    document = compared(
        played, specs=[played.spec], budgets=[0.1], trials=6, vary=["training::rate_factor"], methods=["reset"]
    )
    tried = [one["settings"] for one in document["rows"][0]["tried"]]
    assert tried == [{"method::depth": "last_block", "training::rate_factor": rate} for rate in (1.0, 2.0)]


def test_a_misspelt_setting_to_vary_is_refused_before_any_run(played):
    with pytest.raises(ConfigError, match="--vary: expected one of .*'training::rate_factor'"):
        compared(played, vary=["training::rate"])
    assert played.runs == []


def test_the_default_is_what_the_config_chooses_untuned(played):
    document = compared(played, specs=[played.spec], budgets=[0.1], methods=["default", "reset"])
    row = {row["method"]: row for row in document["rows"]}["default"]
    assert (row["settings"], len(row["tried"])) == ({}, 1)
    assert sum("method" not in run for run in played.runs) == 1


def test_retrained_networks_are_shared_by_all_methods_of_a_cohort(played):
    compared(played, jobs=2)
    retrain = [run for run in played.runs if run["reference"] == "retrain"]
    assert len(retrain) == 2
    assert len({run["cohort_spec"] for run in retrain}) == 2


def test_what_is_refused_retrains_nothing_so_that_the_next_goes_alone_too(played):
    played.play = lambda settings: 2 if "finetune" in settings["method"] else None
    compared(played, specs=[played.spec], methods=["finetune", "reset", "psg"], budgets=[0.1], jobs=2)
    retrain = [run for run in played.runs if run["reference"] == "retrain"]
    assert [json.loads(run["method"])["name"] for run in retrain] == ["finetune", "finetune", "reset"]


def test_a_second_call_keeps_what_is_finished_and_adds_what_is_new(played):
    compared(played, methods=["reset"], budgets=[0.1])
    before = len(played.runs)
    document = compared(played, methods=["reset", "finetune"], budgets=[0.1])
    assert before == 6
    assert len(played.runs) == 12
    assert len(document["rows"]) == 4


def place(row):
    return row["cohort"], row["budget"], row["method"]


def test_rows_of_earlier_calls_stay_and_those_asked_again_are_written_anew(played):
    first = compared(played, specs=[played.spec], methods=["reset", "finetune"], budgets=[0.1])
    document = compared(played, specs=[played.spec_of("B")], methods=["reset"], budgets=[0.1, 0.2])
    places = [place(row) for row in document["rows"]]
    assert places[:2] == [("b", 0.1, "reset"), ("b", 0.2, "reset")]
    assert places[2:] == [place(row) for row in first["rows"]]
    again = compared(played, specs=[played.spec], methods=["finetune"], budgets=[0.1], trials=1)
    assert sorted(place(row) for row in again["rows"]) == sorted(places)
    assert {place(row): len(row["tried"]) for row in again["rows"]}["a", 0.1, "finetune"] == 1


def test_rows_of_another_spec_or_setting_do_not_stay(played):
    compared(played, methods=["reset"], budgets=[0.1])
    played.spec.write_text(played.spec.read_text(encoding="utf-8").replace("== A", "== C"), encoding="utf-8")
    document = compared(played, specs=[played.spec], methods=["reset"], budgets=[0.2])
    assert [place(row) for row in document["rows"]] == [("a", 0.2, "reset"), ("b", 0.1, "reset")]
    document = compared(played, specs=[played.spec], methods=["reset"], budgets=[0.1], fixed={"learning_rate": "0.1"})
    assert [place(row) for row in document["rows"]] == [("a", 0.1, "reset")]
    document = compared(played, specs=[played.spec], methods=["finetune"], budgets=[0.1])
    assert [place(row) for row in document["rows"]] == [
        ("a", 0.1, "finetune"),
        ("a", 0.2, "reset"),
        ("b", 0.1, "reset"),
    ]


def test_a_call_in_which_nothing_finishes_leaves_a_table_of_other_settings_as_it_is(played):
    before = compared(played, specs=[played.spec], budgets=[0.1])
    played.play = lambda _: 2
    with pytest.raises(DataError, match="every method failed: a run refused its input"):
        compared(played, specs=[played.spec], budgets=[0.1], fixed={"learning_rte": "0.1"})
    assert json.loads((played.out / "compare.json").read_text(encoding="utf-8")) == before
    assert not (played.out / "earlier").exists()


def test_a_row_tells_what_all_its_runs_cost(played):
    rows = compared(played, specs=[played.spec], budgets=[0.1], repeats=2)["rows"]
    # Two trials, the one that was chosen with its audits, and once more; 0.11 each.
    assert [row["share_of_all_runs"] for row in rows] == [pytest.approx(4 * 0.11)] * 2
    played.more["cost"] = {**played.more["cost"], "share_of_retraining_gradients": None}
    rows = compared(played, specs=[played.spec_of("B")], budgets=[0.1])["rows"]
    assert [row["share_of_all_runs"] for row in rows if row["cohort"] == "b"] == [None] * 2


def test_parts_of_a_method_can_be_fixed(played):
    fixed = {"method::depth": "head", "method::temperature": "3"}
    compared(played, specs=[played.spec], methods=["reset"], budgets=[0.1], fixed=fixed)
    named = {json.dumps(method, sort_keys=True) for method in map(json.loads, (run["method"] for run in played.runs))}
    assert named == {'{"depth": "head", "name": "reset", "temperature": 3}'}
    assert not any(key.startswith("method::") for run in played.runs for key in run)


def test_a_call_that_goes_on_keeps_rows_until_they_are_measured_again(played):
    once = {"specs": [played.spec], "budgets": [0.1], "trials": 1}
    played.play = lambda settings: 1 if "reset" in settings["method"] else None
    compared(played, **once)
    played.play = lambda _: None
    seen = []

    def look(*_):
        document = json.loads((played.out / "compare.json").read_text(encoding="utf-8"))
        seen.append([row["status"] for row in document["rows"]])

    document = compared(played, **once, progress=look)
    assert seen == [["finished", "failed"]] * 4
    assert [row["status"] for row in document["rows"]] == ["finished"] * 2


def audits_of(played):
    return [(run.get("audits"), run.get("audit_share")) for run in played.runs]


def test_trials_have_no_audits_and_the_setting_that_was_chosen_has_all_that_take_long(played):
    document = compared(played, specs=[played.spec], budgets=[0.1], methods=["reset"])
    assert audits_of(played) == [("[]", None), ("[]", None), (None, "1")]
    chosen = played.runs[-1]
    again = [{**run, "audits": None} for run in played.runs[:-1]]
    ignored = {"audits", "audit_share", "output_dir", "reference", "reference_seeds"}
    assert {key: value for key, value in chosen.items() if key not in ignored} in [
        {key: value for key, value in run.items() if key not in ignored} for run in again
    ]
    [row] = document["rows"]
    assert row["settings"] == min(row["tried"], key=lambda one: one["objective"])["settings"]
    assert "relearning" in row
    before = len(played.runs)
    assert compared(played, specs=[played.spec], budgets=[0.1], methods=["reset"])["rows"] == [row]
    assert len(played.runs) == before


def test_where_there_is_nothing_to_choose_the_one_run_is_the_row(played):
    document = compared(played, specs=[played.spec], budgets=[0.1], trials=1)
    assert audits_of(played) == [(None, "1")] * 2
    assert document["runs"] == {"done": 2, "planned": 2}


@pytest.mark.parametrize(
    ("fixed", "seen"),
    [
        ({"audits": "[]"}, [("[]", None)] * 2),
        ({"audits": "[distance]"}, [("[distance]", None)] * 2 + [("[distance]", "1")]),
        ({"audit_share": "0.5"}, [("[]", "0.5")] * 2 + [(None, "0.5")]),
        ({"audits": "default", "audit_share": "1"}, [("default", "1")] * 2),
    ],
)
def test_what_the_user_says_of_audits_holds_for_both(played, fixed, seen):
    counts = []
    compared(
        played,
        specs=[played.spec],
        budgets=[0.1],
        methods=["reset"],
        fixed=fixed,
        progress=lambda _, done, total: counts.append((done, total)),
    )
    assert audits_of(played) == seen
    assert counts[-1] == (len(seen), len(seen))


def test_the_chosen_setting_runs_as_often_as_is_asked_for_each_under_its_own_seed(played):
    counts = []
    arguments = {
        "specs": [played.spec],
        "budgets": [0.1],
        "methods": ["reset"],
        "progress": lambda _, *found: counts.append(found),
    }
    document = compared(played, repeats=3, **arguments)
    assert [run.get("seed") for run in played.runs] == [None, None, None, "1", "2"]
    assert counts[-1] == (5, 5)
    chosen = [{key: run[key] for key in ("method", "budget", "audit_share")} for run in played.runs[-3:]]
    assert chosen[0] == chosen[1] == chosen[2]
    [row] = document["rows"]
    assert len(row["verdicts"]) == len(row["distance_ratio"]["runs"]) == 3
    assert document["repeats"] == 3
    # More repeats add runs to those that are finished; what the user fixes is where seeds count from.
    compared(played, repeats=4, **arguments)
    assert [run.get("seed") for run in played.runs[5:]] == ["3"]
    compared(played, repeats=2, fixed={"seed": "7"}, **arguments)
    assert [run.get("seed") for run in played.runs[6:]] == ["7", "7", "7", "8"]


def test_where_nothing_is_chosen_the_one_run_is_repeated_and_a_failure_is_the_row(played):
    counts = []
    played.play = lambda settings: 1 if settings.get("seed") == "1" else None
    compare_it = {"specs": [played.spec], "budgets": [0.1], "methods": ["default", "reset"], "repeats": 3}
    with pytest.raises(TrainingError, match="every method failed"):
        compared(played, progress=lambda _, *found: counts.append(found), **compare_it)
    assert counts[-1] == (8, 8)
    played.play = lambda _: None
    rows = {row["method"]: row for row in compared(played, **compare_it)["rows"]}
    assert [len(rows[name]["verdicts"]) for name in ("default", "reset")] == [3, 3]


def test_a_row_whose_last_run_fails_says_why_and_every_run_is_counted(played):
    counts = []
    played.play = lambda settings: 1 if "audit_share" in settings and "finetune" in settings["method"] else None
    document = compared(
        played, specs=[played.spec], budgets=[0.1], progress=lambda _, done, total: counts.append((done, total))
    )
    failed = {row["method"]: row for row in document["rows"]}["finetune"]
    assert "failed with exit code 1: what the run said" in failed["why"]
    assert counts[-1] == (6, 6)
    played.play = lambda settings: 1 if "finetune" in settings["method"] else None
    compared(played, specs=[played.spec], budgets=[0.2], progress=lambda _, *found: counts.append(found))
    assert counts[-1] == (6, 6)


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
