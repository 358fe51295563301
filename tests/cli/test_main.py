from __future__ import annotations

import runpy
import sys

import pytest
from typer.testing import CliRunner

from monai_unlearn import __version__
from monai_unlearn.cli import app, main

runner = CliRunner()


def test_version():
    assert runner.invoke(app, ["--version"]).stdout.strip() == __version__


def test_help_names_every_group_and_the_bundle_run_that_forgets():
    found = runner.invoke(app, ["--help"])
    assert found.exit_code == 0
    groups = ("phantom", "index", "cohort", "sweep", "history", "card", "monai.bundle run unlearn")
    assert all(group in found.stdout for group in groups)


@pytest.mark.parametrize("start", [main, lambda: runpy.run_module("monai_unlearn", run_name="__main__")])
def test_entry_points(start, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["monai-unlearn", "--version"])
    with pytest.raises(SystemExit, match="0"):
        start()
    assert capsys.readouterr().out.strip() == __version__
