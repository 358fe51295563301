from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments import unlearn as module
from monai_unlearn.experiments.unlearn import StoppedError, unlearn
from monai_unlearn.vocabulary.run_folder import RunFolder

# A run that takes Ctrl-C as a bundle run does, and leaves a checkpoint.
WAITS = """
import pathlib, sys, time
checkpoint = pathlib.Path(sys.argv[1])
try:
    checkpoint.mkdir()
    print("waiting", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    (checkpoint / "saved").touch()
    raise SystemExit(130)
"""
WRITES = """
import json, pathlib, sys
evidence = pathlib.Path(sys.argv[2])
evidence.mkdir(parents=True)
(evidence / "metrics.json").write_text(json.dumps({"verdict": "not_known"}))
print("Reading images")
raise SystemExit(3)
"""


@pytest.fixture
def played(tmp_path, monkeypatch):
    """A bundle whose run is a program of the test's own; returns its folder and where results go."""
    bundle, out = tmp_path / "bundle", tmp_path / "out"
    (bundle / "configs").mkdir(parents=True)
    (bundle / "configs" / "unlearn.yaml").write_text("unlearn: []\n", encoding="utf-8")
    commands = []

    def play(program):
        def command(configs, run_id, settings):
            commands.append((configs, run_id, settings))
            run = RunFolder(out)
            return [sys.executable, "-c", program, str(run.checkpoint), str(run.evidence)]

        monkeypatch.setattr(module, "bundle_command", command)
        return bundle, out, commands

    return play


def test_the_run_has_the_settings_and_where_results_go(played, capfd):
    bundle, out, commands = played(WRITES)
    done = unlearn(bundle, out, {"index_dir": "index", "budget": 0.1})
    assert (done.exit_code, done.result.verdict) == (3, "not_known")
    assert commands == [
        ([bundle / "configs" / "unlearn.yaml"], "unlearn", {"index_dir": "index", "budget": 0.1, "output_dir": out})
    ]
    assert capfd.readouterr().out == "Reading images\n"


def test_stdout_is_left_alone_where_it_is_for_json(played, capfd):
    bundle, out, _ = played(WRITES)
    unlearn(bundle, out, {}, quiet=True)
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "Reading images\n")


@pytest.mark.parametrize(("code", "kind"), [(2, "InputError"), (1, "UnlearnError")])
def test_a_run_that_wrote_nothing_says_why(played, code, kind):
    bundle, out, _ = played(f"print('some'); print('Error: no such spec.'); raise SystemExit({code})")
    done = unlearn(bundle, out, {}, quiet=True)
    assert (done.exit_code, done.result, done.error, done.kind) == (code, None, "no such spec.", kind)


def test_a_bundle_without_a_config_starts_nothing(tmp_path):
    with pytest.raises(ConfigError, match="expected a MONAI bundle"):
        unlearn(tmp_path, tmp_path / "out", {})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_is_stopped_safely_and_says_how_to_go_on(played, tmp_path, number):
    """The signal reaches the command alone, as from a scheduler; its run must end with it."""
    bundle, out, _ = played("")
    program = f"""
import sys
from pathlib import Path
from monai_unlearn.experiments import unlearn as module
module._SECONDS_OF_ITS_OWN = 0.2
module.bundle_command = lambda *_: [sys.executable, "-c", {WAITS!r}, {str(RunFolder(out).checkpoint)!r}]
try:
    module.unlearn(Path({str(bundle)!r}), Path({str(out)!r}), {{}})
except module.StoppedError as error:
    print(error)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waiting\n"
    os.kill(process.pid, number)
    said, _ = process.communicate(timeout=60)
    assert said.startswith("Stopped; no result was written. The same command goes on from the checkpoint in ")
    assert said.endswith(f"{tmp_path / '.out.checkpoint'}.\n")
    assert (tmp_path / ".out.checkpoint" / "saved").is_file()


def test_a_run_that_was_stopped_itself_says_how_to_go_on(played):
    bundle, out, _ = played("raise SystemExit(130)")
    with pytest.raises(StoppedError, match="there is no checkpoint yet: the same command starts anew"):
        unlearn(bundle, out, {})


def test_a_run_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_OF_ITS_OWN", 0.1)
    monkeypatch.setattr(module, "_SECONDS_TO_END", 0.1)
    stubborn = (
        "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; print(1, flush=True); time.sleep(99)"
    )
    process = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline()
    monkeypatch.setattr(module, "_SECONDS_TO_TERMINATE", 0.1)
    module._end(process)
    assert process.poll() == -signal.SIGKILL
    process.stdout.close()
