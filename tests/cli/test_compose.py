from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments import compose as module
from monai_unlearn.experiments.compose import CompositionPlan
from monai_unlearn.experiments.unlearn import Revised, StoppedError


@pytest.fixture
def played(monkeypatch):
    """A composition that does nothing; returns what it was asked for and how it ends."""
    asked, ends = [], {"done": Revised(exit_code=0, result=SimpleNamespace(summary=lambda: {"verdict": "equivalent"}))}

    def compose(plan, out, *, quiet):
        asked.append((plan, out, quiet))
        if isinstance(ends["done"], Exception):
            raise ends["done"]
        return ends["done"]

    monkeypatch.setattr(module, "compose", compose)
    return asked, ends


def invoke(*words):
    return CliRunner().invoke(app, ["compose", "--a", "a", "--b", "b", "--out", "c", *words])


def test_three_options_are_enough(played):
    asked, _ = played
    assert invoke().exit_code == 0
    assert asked == [(CompositionPlan(a=Path("a"), b=Path("b")), Path("c"), False)]


def test_every_option_reaches_the_plan(played):
    asked, _ = played
    words = ["--by", "linear", "--weight", "0.25", "--original", "o", "--index", "i", "--spec", "s.yaml"]
    result = invoke(*words, "--reference", "r1.pt", "--reference", "r2.pt", "--json")
    assert json.loads(result.stdout) == {"verdict": "equivalent"}
    (plan, _, quiet), expected = asked[0], {"original": "o", "index": "i", "spec": "s.yaml"}
    assert quiet
    assert {name: str(getattr(plan, name)) for name in expected} == expected
    assert (plan.by, plan.weight, [*plan.references]) == ("linear", 0.25, ["r1.pt", "r2.pt"])


@pytest.mark.parametrize(("given", "depth"), [("last_block", "last_block"), ("3", 3)])
def test_a_depth_is_a_word_or_a_number(played, given, depth):
    asked, _ = played
    invoke("--classifier", given)
    assert asked[0][0].classifier == depth


@pytest.mark.parametrize(
    ("done", "code"),
    [
        (Revised(exit_code=3, result=SimpleNamespace(summary=lambda: {"verdict": "different"})), 3),
        (Revised(exit_code=2, result=None, error="no such index."), 2),
        (ConfigError("they differ in the cohort spec"), 2),
        (StoppedError("Stopped."), 130),
    ],
)
def test_exit_codes_are_those_of_a_revision(played, done, code):
    played[1]["done"] = done
    assert invoke("--json").exit_code == code


def test_what_differs_is_said_on_stderr_and_in_json(played):
    played[1]["done"] = ConfigError("they differ in the cohort spec")
    result = invoke("--json")
    assert json.loads(result.stdout)["error"] == {"kind": "ConfigError", "message": "they differ in the cohort spec"}
    assert "Error: they differ in the cohort spec" in result.stderr


def test_a_real_refusal_ends_with_two(tmp_path):
    words = ["compose", "--a", str(tmp_path), "--b", str(tmp_path), "--out", str(tmp_path / "c")]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, "expected the output folder of a run" in result.stderr) == (2, True)


def test_help_shows_an_example():
    result = CliRunner().invoke(app, ["compose", "--help"])
    assert "monai-unlearn compose --a" in " ".join(result.stdout.split())
