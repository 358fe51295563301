from __future__ import annotations

import json

import pytest
from comparison_example import metrics
from played_rehearsal import PlayedRehearsal
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.experiments import experiment as module


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
    assert len(played.runs) == 4


def test_shows_the_table_and_where_the_page_is(played):
    result = invoke(played)
    assert result.exit_code == 0, result.stderr
    assert "compare.html" in result.stdout.replace("\n", "")


def test_bad_input_ends_with_two(played):
    result = invoke(played, "--budget", "much")
    assert (result.exit_code, "--budget: expected shares separated by commas" in result.stderr) == (2, True)
    assert invoke(played, "--fix", "budget=0.3").exit_code == 2
