from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.experiments import unlearn as module
from monai_unlearn.experiments.unlearn import Revised, StoppedError

FOUND = {
    "images": {"forget": 40, "remain": 400},
    "steps": 75,
    "gradient_evaluations": {"unlearning": 2400, "references": 0, "total": 2400},
    "seconds": {"unlearning": 60.0, "references": 0.0, "total": 60.0},
    "share_of_retraining": 0.1,
    "networks_to_retrain": 0,
}
SUMMARY = {"verdict": "not_known", "exit_code": 3}


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Call the command; its run ends as the test says, and `calls` has what it was asked for."""
    calls = []

    def call(*words, ended=None):
        def run(bundle, out, settings, *, quiet):
            calls.append((bundle, out, settings, quiet))
            if isinstance(ended, Exception):
                raise ended
            return ended or Revised(exit_code=3, result=SimpleNamespace(summary=lambda: SUMMARY))

        monkeypatch.setattr(module, "unlearn", run)
        base = ["unlearn", "bundle", "--index", "index", "--spec", "spec.yaml", "--out", tmp_path / "out"]
        return CliRunner().invoke(app, [str(word) for word in (*base, *words)]), calls

    return call


def test_every_option_is_a_setting_of_the_run(invoke, tmp_path):
    words = ["--method", "reset", "--reference", "retrain", "--budget", "0.2", "--protocol", "p.yaml"]
    words += ["--tracking", "mlflow", "--set", "a#b=[1,2]", "--set", "seed=3"]
    result, calls = invoke(*words)
    assert (result.exit_code, result.stdout) == (3, "")  # the run itself has said everything
    ((bundle, out, settings, quiet),) = calls
    assert (str(bundle), out, quiet) == ("bundle", tmp_path / "out", False)
    assert {name: str(value) for name, value in settings.items()} == {
        "index_dir": "index",
        "cohort_spec": "spec.yaml",
        "method": "reset",
        "reference": "retrain",
        "budget": "0.2",
        "protocol": "p.yaml",
        "tracking": "mlflow",
        "a::b": "[1,2]",
        "seed": "3",
    }


def test_several_references_are_a_list(invoke):
    _, calls = invoke("--reference", "one.pt", "--reference", "two.pt")
    assert json.loads(calls[0][2]["reference"]) == ["one.pt", "two.pt"]


def test_json_is_one_document_whatever_the_verdict(invoke):
    result, calls = invoke("--json")
    assert (result.exit_code, json.loads(result.stdout)) == (3, SUMMARY)
    assert calls[0][3] is True


def test_json_of_a_run_that_wrote_nothing_says_why(invoke):
    result, _ = invoke("--json", ended=Revised(exit_code=2, result=None, error="no such spec."))
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {"error": {"kind": "InputError", "message": "no such spec."}}


def test_an_interrupted_run_ends_with_130(invoke):
    result, _ = invoke(ended=StoppedError("Stopped; the same command goes on."))
    assert (result.exit_code, result.stderr) == (130, "Stopped; the same command goes on.\n")


def test_an_estimate_is_shown_and_nothing_is_run(invoke, monkeypatch):
    from monai_unlearn.experiments import estimate as estimating

    asked = []
    monkeypatch.setattr(estimating, "estimate", lambda bundle, settings: asked.append((bundle, settings)) or FOUND)
    result, calls = invoke("--estimate", "--budget", "0.1")
    assert result.exit_code == 0
    assert "75 steps, 2,400 gradients of single images" in result.stdout
    assert asked[0][1]["budget"] == 0.1
    assert json.loads(invoke("--estimate", "--json")[0].stdout) == FOUND
    assert calls == []


def test_success_ends_with_0(invoke):
    result, _ = invoke(ended=Revised(exit_code=0, result=SimpleNamespace()))
    assert result.exit_code == 0


def test_an_option_has_one_name(invoke):
    result, calls = invoke("--set", "output_dir=x")
    assert (result.exit_code, calls) == (2, [])
    assert "--set output_dir: the command sets it itself (--out)" in result.stderr
