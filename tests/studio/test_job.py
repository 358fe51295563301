from __future__ import annotations

import json
import signal
import sys

import pytest
from filelock import FileLock

from monai_unlearn.errors import ConfigError
from monai_unlearn.studio import job
from monai_unlearn.studio.job import command_of, main, run
from monai_unlearn.studio.workspace import digest_of

JOB = {"bundle": "/nothing/bundle", "index": "/nothing/index", "spec": "/nothing/spec.yaml", "budget": "0.1"}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(JOB))
    return folder


def test_the_command_is_one_that_a_user_could_type(folder):
    words = command_of({**JOB, "method": ""}, folder)
    assert words[words.index("unlearn") :] == [
        *("unlearn", "/nothing/bundle", "--index", "/nothing/index", "--spec", "/nothing/spec.yaml"),
        *("--out", str(folder / "run"), "--budget", "0.1"),
    ]


def test_how_it_ended_is_kept_with_what_it_printed(folder):
    assert run(folder) == 2
    assert json.loads((folder / "done.json").read_text()) == {"exit_code": 2}
    assert "Error: " in (folder / "log.txt").read_text()
    assert not (folder / "process.json").exists()


def test_one_runs_at_a_time(folder):
    with FileLock(folder.parent / ".running"), pytest.raises(ConfigError, match="one at a time"):
        run(folder)
    assert not (folder / "log.txt").exists()


def test_why_it_cannot_run_is_printed(folder, capsys):
    with FileLock(folder.parent / ".running"):
        assert main(folder) == 2
    assert "Error: another revision runs" in capsys.readouterr().err


def test_a_run_is_not_lost_however_often_it_is_interrupted(folder, monkeypatch):
    interrupts = "for _ in range(3): os.kill(os.getppid(), signal.SIGINT); time.sleep(0.1)"
    script = f"import os, signal, sys, time\n{interrupts}\nsys.exit(130)"
    monkeypatch.setattr(job, "command_of", lambda *_: [sys.executable, "-c", script])
    before = signal.getsignal(signal.SIGINT)
    (folder / "stopping").touch()
    assert run(folder) == 130
    assert json.loads((folder / "done.json").read_text()) == {"exit_code": 130}
    assert not (folder / "stopping").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_spec_that_was_saved_again_is_not_run(folder, tmp_path, monkeypatch):
    spec = tmp_path / "spec.yaml"
    spec.write_text("as it was chosen")
    chosen = {"spec": str(spec), "spec_digest": digest_of("as it was chosen")}
    (folder / "job.json").write_text(json.dumps({**JOB, **chosen}))
    monkeypatch.setattr(job, "command_of", lambda *_: [sys.executable, "-c", "pass"])
    assert run(folder) == 0
    spec.write_text("as it was saved again")
    assert run(folder) == 2
    assert "saved again since this was asked for" in (folder / "log.txt").read_text()
