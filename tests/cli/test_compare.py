from __future__ import annotations

import json

import pytest
from comparison_example import audit_row, metrics
from interrupted import assert_says_how_to_go_on
from played_rehearsal import PlayedRehearsal
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.cli.compare import show
from monai_unlearn.evaluation.decision import Verdict
from monai_unlearn.experiments import experiment as module
from monai_unlearn.experiments.comparison_row import finished, refused


@pytest.fixture
def played(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "search_spaces", lambda names, **_: {name: {} for name in names})
    played = PlayedRehearsal(tmp_path, monkeypatch)
    played.more = {key: value for key, value in metrics().items() if key not in {"verdict", "why"}}
    return played


def invoke(played, *words):
    command = ["compare", played.bundle, "--index", played.index, "--spec", played.spec, "--out", played.out]
    return CliRunner().invoke(app, [str(word) for word in (*command, "--methods", "reset,finetune", *words)])


def test_json_is_the_document(played):
    result = invoke(played, "--json", "--budget", "0.1,0.2")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == json.loads((played.out / "compare.json").read_text(encoding="utf-8"))
    assert len(played.runs) == 4  # one setting each: nothing to choose


def test_repeats_run_the_chosen_setting_again(played):
    result = invoke(played, "--json", "--repeats", "2")
    assert result.exit_code == 0, result.stderr
    assert [len(row["verdicts"]) for row in json.loads(result.stdout)["rows"]] == [2, 2]
    assert [run.get("seed") for run in played.runs] == [None, "1"] * 2


def test_shows_the_table_and_where_the_page_is(played):
    result = invoke(played)
    assert result.exit_code == 0, result.stderr
    assert "compare.html" in result.stdout.replace("\n", "")


def test_the_table_is_read_at_80_columns(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    who = {"cohort": "odir-truncated-field", "budget": 0.1}
    longest = max((verdict.value for verdict in Verdict), key=len)
    found = metrics(verdict=longest)
    found["audits"]["recall_gap"] = {"rows": [audit_row("recall_gap", "forget_test", 0.123)]}
    rows = [
        finished({**who, "method": "salun_psg_remain"}, found, settings={}, objective=0.1),
        refused({**who, "method": "rewind"}, "training kept no snapshots, which it goes back to. " * 3),
    ]
    show({"rows": rows}, tmp_path)
    shown = capsys.readouterr().out.partition("Tables, plots")[0]
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "odir-truncated-field, 10% of retraining's gradients"
    cells = [line.split() for line in lines]
    assert ["method", "verdict", "ratio", "gap", "gap", "retraining"] in cells
    assert ["salun_psg_remain", longest, "1.20", "12.3%", "-3.0%", "11.0%"] in cells
    assert ["rewind", "failed"] in cells
    assert "rewind: training kept no snapshots" in shown


def test_an_interrupt_says_how_to_go_on(played):
    assert_says_how_to_go_on(played, invoke)


def test_bad_input_ends_with_two(played):
    result = invoke(played, "--budget", "much")
    assert (result.exit_code, "--budget: expected shares separated by commas" in result.stderr) == (2, True)
    assert invoke(played, "--fix", "budget=0.3").exit_code == 2
    assert invoke(played, "--seed", "-3").exit_code == 2
    assert not played.out.exists()


def test_it_says_where_a_table_of_other_settings_went(played):
    assert "earlier" not in invoke(played).stdout
    assert f"{played.out.name}/earlier." in "".join(invoke(played, "--fix", "steps=3").stdout.split())


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ("seed=abc", "--fix seed: expected a whole number of at least 0, got 'abc'"),
        ("budget::x=1", "--fix budget::x: the command sets budget itself (--budget)"),
        ("stop={}", "--fix stop: the command sets it itself (every method has the whole budget)"),
        ("protocol=p.json", "(each method's settings are chosen from its record)"),
    ],
)
def test_what_cannot_be_fixed_is_refused_before_any_run(played, fixed, message):
    result = invoke(played, "--fix", fixed)
    assert (result.exit_code, message in " ".join(result.stderr.split())) == (2, True)
    assert played.runs == []
