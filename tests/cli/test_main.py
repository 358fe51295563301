from __future__ import annotations

import runpy
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from monai_unlearn import __version__, cli
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
    monkeypatch.setattr(cli, "_end", lambda _: None)  # it would end this process
    with pytest.raises(SystemExit, match="0"):
        start()
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(("words", "code"), [(["cohort", "schema"], 0), (["cohort", "validate", "none.yaml"], 2)])
@pytest.mark.parametrize("threads", [0, 1])
def test_a_command_ends_with_its_code_once_all_is_printed_and_done(words, code, threads, tmp_path):
    waits = "threading.Thread(target=lambda: (threading.main_thread().join(), print('thread'))).start()"
    program = (
        "import atexit, sys, threading; from monai_unlearn.cli import main; import duckdb; "
        f"sys.argv = {['monai-unlearn', *words]!r}; atexit.register(print, 'done'); "
        f"[{waits} for _ in range({threads})]; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == code
    assert done.stdout.endswith("thread\ndone\n" if threads else "done\n")
    assert done.stdout.startswith("{") is (code == 0)
    assert done.stderr.startswith("Error: none.yaml") is (code != 0)
    assert "leaked" not in done.stderr
