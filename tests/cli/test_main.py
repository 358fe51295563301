from __future__ import annotations

import json
import runpy
import sys

import pytest
import typer
from typer.testing import CliRunner

from monai_unlearn import __version__
from monai_unlearn.cli import app, main
from monai_unlearn.cli.command import AsJson, Command
from monai_unlearn.errors import IndexReadError, TrainingError, UnlearnError

runner = CliRunner()


def test_version():
    assert runner.invoke(app, ["--version"]).stdout.strip() == __version__


def test_help_says_where_forgetting_itself_is():
    found = runner.invoke(app, ["--help"])
    assert found.exit_code == 0
    assert all(group in found.stdout for group in ("phantom", "index", "cohort", "monai.bundle run unlearn"))


@pytest.mark.parametrize("start", [main, lambda: runpy.run_module("monai_unlearn", run_name="__main__")])
def test_entry_points(start, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["monai-unlearn", "--version"])
    with pytest.raises(SystemExit, match="0"):
        start()
    assert capsys.readouterr().out.strip() == __version__


def failing(error: UnlearnError) -> typer.Typer:
    failing_app = typer.Typer()

    @failing_app.command(cls=Command)
    def fail(*, as_json: AsJson = False) -> None:
        del as_json
        raise error

    return failing_app


@pytest.mark.parametrize(("error", "code"), [(IndexReadError("no index"), 2), (TrainingError("loss is nan"), 1)])
def test_an_error_of_ours_is_one_message_and_its_exit_code(error, code):
    found = runner.invoke(failing(error), [])
    assert found.exit_code == code
    assert found.stderr == f"Error: {error}\n"
    assert found.stdout == ""


def test_with_json_stdout_is_one_document_all_the_same():
    found = runner.invoke(failing(IndexReadError("no index")), ["--json"])
    assert found.exit_code == 2
    assert json.loads(found.stdout) == {"error": {"kind": "IndexReadError", "message": "no index"}}
