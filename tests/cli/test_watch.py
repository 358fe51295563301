from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import watch_walk
from nightly import nightly
from typer.testing import CliRunner
from watch_example import drop, withdrawals, write_example

from monai_unlearn.cli import app
from monai_unlearn.experiments import runner
from monai_unlearn.release.ledger import Ledger


@pytest.fixture
def place(tmp_path):
    write_example(tmp_path)
    return tmp_path


def words(place, *more):
    found = ["watch", "--inbox", place / "inbox", "--index", place / "index", "--protocol", place / "protocol.yaml"]
    return [str(word) for word in [*found, "--out", place / "out", *more]]


def run(place, *more):
    return CliRunner().invoke(app, words(place, *more), env={"MONAI_UNLEARN_STORE": "", "MONAI_UNLEARN_KEY": ""})


def acting(place):
    return (
        "--owner",
        os.getuid(),
        "--store",
        place / "store",
        "--key",
        place / "key.pem",
        "--bundle",
        place / "bundle",
    )


def test_with_nobody_to_trust_everything_is_previewed_and_left(place):
    drop(place, "leaving.txt", withdrawals(0, 1))
    done = run(place, "--once", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    (one,) = document["requests"]
    assert (one["state"], document["counts"]["left"]) == ("left", 1)
    left = json.loads(Path(one["reason_file"]).read_text(encoding="utf-8"))
    assert left["preview"]["patients"]["forget"] == 2


def test_exit_codes_and_words(place, monkeypatch):
    from watch_example import PlayedRun

    played = PlayedRun()
    monkeypatch.setattr(runner, "start", played)
    drop(place, "a.txt", withdrawals(0, 1))
    done = run(place, "--once", *acting(place))
    assert (done.exit_code, ": done, qualified" in done.output) == (0, True), done.output
    assert "1 done" in done.output
    played.code = 3
    drop(place, "b.txt", withdrawals(2, 3))
    done = run(place, "--once", "--runs-a-day", 2, *acting(place))
    assert done.exit_code == 3
    assert ": left, inconclusive" in done.output


def test_what_was_not_looked_at_is_said_while_it_serves(place, monkeypatch):
    monkeypatch.setattr("monai_unlearn.watch.intake.MAX_STRANGERS", 0)
    drop(place, "a.txt", withdrawals(0, 1))

    def stop(_):
        raise SystemExit(0)

    monkeypatch.setattr("time.sleep", stop)
    os.utime(place / "inbox" / "a.txt", (0, 0))
    done = run(place)
    assert (done.exit_code, "1 files were not looked at" in done.output) == (0, True), done.output


def test_bad_input(place):
    assert run(place, "--json").exit_code == 2
    assert run(place, "--once", "--owner", "nobody-of-this-name").exit_code == 2
    assert run(place, "--once", "--store", place / "store").exit_code == 2
    (place / "protocol.yaml").write_text("a: b")
    assert run(place, "--once").exit_code == 2


def walk(place, point):
    """The command in a process of its own, with a run that is a process of its own."""
    command = [sys.executable, watch_walk.__file__, str(point), "--", *words(place, "--once", *acting(place))]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def ended(process):
    _, said = process.communicate(timeout=300)
    assert process.returncode in (-9, 0), said
    return process.returncode


def check_one_run(place):
    assert (place / "started").read_text(encoding="utf-8") == "run\n"
    lines = [line.event.event for line in Ledger(place / "store").lines()]
    assert lines == ["receive", "preview", "start", "finish"]


@nightly
@pytest.mark.parametrize("point", range(1, 30, 2))
def test_killed_for_good_it_goes_on(place, point):
    drop(place, "a.txt", withdrawals(0, 1))
    (place / "go").touch()
    ended(walk(place, point))
    assert ended(walk(place, 0)) == 0
    check_one_run(place)


@nightly
def test_killed_while_its_run_goes_on(place):
    """The run outlives the service; the next one waits for it, and begins no other."""
    drop(place, "a.txt", withdrawals(0, 1))
    assert ended(walk(place, "run")) == -9
    (state,) = (place / "out").glob("requests/*/state.json")
    again = walk(place, 0)
    while json.loads(state.read_text(encoding="utf-8"))["attempts"] < 2:
        assert again.poll() is None
        time.sleep(0.1)
    time.sleep(1)
    (place / "go").touch()
    assert ended(again) == 0
    check_one_run(place)
