from __future__ import annotations

import json

import pytest
from interrupted import assert_says_how_to_go_on
from played_rehearsal import PlayedRehearsal
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.experiments import experiment as module


@pytest.fixture
def played(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "search_spaces", lambda names, **_: {name: {} for name in names})
    return PlayedRehearsal(tmp_path, monkeypatch)


def invoke(played, *words, bundle=None):
    command = ["rehearse", bundle or played.bundle, "--index", played.index, "--spec", played.spec]
    command += ["--out", played.out, "--draw", "3", "--tune-on", "1", "--methods", "reset,finetune", *words]
    return CliRunner().invoke(app, [str(word) for word in command])


def test_json_is_the_document(played):
    result = invoke(played, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads((played.out / "rehearse.json").read_text(encoding="utf-8"))
    assert json.loads(result.stdout) == document
    assert (document["chosen"], document["protocol"]) == ("reset", str(played.out / "protocol.yaml"))
    assert len(played.runs) == 4 * 2


def test_shows_the_methods_the_bound_and_where_the_protocol_is(played):
    result = invoke(played, bundle=played.config)
    assert result.exit_code == 0, result.stderr
    shown = " ".join(result.stdout.split())
    assert "reset: 3 of 3 rehearsal cohorts equivalent, 95 % upper bound of failure 63 %." in shown
    assert f"The protocol is {played.out / 'protocol.yaml'}" in result.stdout.replace("\n", "")
    assert "8/8" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "2"], "--seeds: expected at least 3"),
        (["--fix", "reference=retrain"], "--fix reference: the command sets it itself (it retrains)"),
        (["--fix", "seed=$1"], "--fix seed: a protocol holds plain values"),
        (["--deep", "--deep-networks", "19"], "--deep-networks: expected at least 20, got 19"),
        (["--small", "max_epochs=1"], "--small: it is about the networks of --deep"),
        (["--deep", "--small", "seed=1"], "--small seed: the command sets it itself (each network has its own)"),
        (["--draw", "0"], "all of them would choose settings"),
    ],
)
def test_bad_options_end_with_2(played, words, message):
    result = invoke(played, *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not played.runs


@pytest.mark.parametrize(("code", "exit_code"), [(1, 1), (2, 2)])
def test_the_exit_code_follows_the_runs(played, code, exit_code):
    played.play = lambda _: code
    result = invoke(played)
    assert result.exit_code == exit_code
    assert "what the run said." in result.stderr or exit_code == 1


def test_a_deep_rehearsal_shows_klom(played):
    result = invoke(played, "--deep", "--small", "max_epochs=1")
    assert result.exit_code == 0, result.stderr
    assert "KLoM on" in result.stdout
    assert len(played.runs) == 4 * 2 + 2 * 20
    assert "48/48" in result.stderr


def test_an_interrupt_says_how_to_go_on(played):
    assert_says_how_to_go_on(played, invoke)
