"""Runs forked from a process that has all imports: as separate processes in every respect that a caller sees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from monai_unlearn.experiments import runner, warm_runs
from monai_unlearn.experiments.runner import BundleRun
from monai_unlearn.experiments.warm_runs import WarmServer
from monai_unlearn.safe_path import module_command, safe_environment

pytestmark = pytest.mark.skipif(not warm_runs.IS_POSSIBLE, reason="only Linux forks processes with libraries in use")

PROGRAM = """
import os, sys, threading, time
what, *words = sys.argv[1:]
print("printed", __name__, words, os.environ.get("SET"), os.environ.get("LEFT_OUT"), os.getppid(), flush=True)
print("said", file=sys.stderr)
if what == "exit":
    sys.exit(int(words[0]))
if what == "message":
    sys.exit("why it ended")
if what == "fail":
    raise ValueError("broken")
if what == "hook":
    sys.excepthook = lambda *error: sys.exit(7)
    raise ValueError("broken")
if what == "sleep":
    time.sleep(60)
if what == "preloaded":
    sys.exit(5 if "colorsys" in sys.modules else 6)
"""


@pytest.fixture(scope="module")
def server():
    made = WarmServer(preloaded=("colorsys",))
    yield made
    made.close()


@pytest.fixture
def start(tmp_path, server, monkeypatch):
    (tmp_path / "program_of_the_test.py").write_text(PROGRAM, encoding="utf-8")
    monkeypatch.setenv("LEFT_OUT", "seen by the server's parent alone")

    def started(*words, **env):
        environment = {name: value for name, value in safe_environment().items() if name != "LEFT_OUT"}
        with (tmp_path / "log.txt").open("w", encoding="utf-8") as log:
            return server.start("program_of_the_test", *words, folder=tmp_path, stdout=log, env={**environment, **env})

    return started


@pytest.mark.parametrize(
    ("words", "code", "last"),
    [
        (("exit", "0"), 0, "said"),
        (("exit", "3"), 3, "said"),
        (("message",), 1, "why it ended"),
        (("fail",), 1, "ValueError: broken"),
        (("hook",), 7, "said"),
        (("end",), 0, "said"),
        (("preloaded",), 5, "said"),
    ],
)
def test_codes_and_output_are_those_of_a_process_of_its_own(start, tmp_path, words, code, last):
    assert start(*words, SET="1").wait(30) == code
    lines = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith(f"printed __main__ {list(words[1:])} 1 None")
    assert lines[-1] == last
    if words[0] != "preloaded":
        command = module_command("program_of_the_test", *words, folder=tmp_path)
        assert subprocess.run(command, check=False, capture_output=True).returncode == code


def test_runs_go_side_by_side_and_end_when_asked(start):
    runs = [start("sleep") for _ in range(2)]
    assert [one.poll() for one in runs] == [None, None]
    with pytest.raises(subprocess.TimeoutExpired):
        runs[0].wait(0.01)
    runs[0].terminate()
    runs[1].kill()
    assert [one.wait(30) for one in runs] == [-signal.SIGKILL] * 2
    runs[0].kill()  # it has ended: nothing to do


@pytest.mark.parametrize("name", warm_runs.PRELOADED)
def test_what_is_preloaded_exists(name):
    assert find_spec(name) is not None


def test_the_same_process_forks_all(start, tmp_path):
    parents = set()
    for _ in range(2):
        start("end").wait(30)
        parents.add((tmp_path / "log.txt").read_text(encoding="utf-8").split()[-2])
    assert len(parents) == 1
    assert parents != {str(os.getpid())}


def test_a_log_is_held_until_the_run_ends(start, tmp_path, server):
    """`BundleRun.wait_for_orphan` relies on it."""
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "held.txt").touch()
    with (tmp_path / "held.txt").open("a", encoding="utf-8") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        run = server.start("program_of_the_test", "sleep", folder=tmp_path, stdout=log, env=safe_environment())
    with (tmp_path / "held.txt").open("a", encoding="utf-8") as log:
        with pytest.raises(BlockingIOError):
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        run.kill()
        fcntl.flock(log, fcntl.LOCK_EX)


def test_what_cannot_be_forked_is_started_as_any_process(tmp_path):
    broken = WarmServer(preloaded=("no_such_module_of_the_test",))
    (tmp_path / "program_of_the_test.py").write_text(PROGRAM, encoding="utf-8")
    command = module_command("program_of_the_test", "exit", "4", folder=tmp_path)
    with warm_runs.warm_runs(broken), (tmp_path / "log.txt").open("w", encoding="utf-8") as log:
        process = runner.start(command, stdout=log, env=safe_environment())
        assert isinstance(process, subprocess.Popen)
        assert process.wait(30) == 4
    assert warm_runs.current() is None


def test_bundle_runs_within_the_block_are_forked(tmp_path, monkeypatch):
    (tmp_path / "bundle" / "configs").mkdir(parents=True)
    (tmp_path / "bundle" / "program_of_the_test.py").write_text(PROGRAM, encoding="utf-8")
    run = BundleRun(config=tmp_path / "bundle" / "configs" / "unlearn.yaml", settings={}, folder=tmp_path / "run")
    words = module_command("program_of_the_test", "exit", "3", folder=tmp_path / "bundle")
    monkeypatch.setattr(BundleRun, "command", property(lambda _: words))
    processes, original = [], runner.start
    monkeypatch.setattr(
        runner, "start", lambda *args, **more: processes.append(original(*args, **more)) or processes[-1]
    )
    with warm_runs.warm_runs(WarmServer(preloaded=())):
        assert run.execute() == (3, "said")
    assert run.execute() == (3, "said")
    assert [type(one).__name__ for one in processes] == ["WarmRun", "Popen"]


def test_runs_outlive_the_server_and_the_server_ends_with_who_asked(tmp_path):
    program = (
        "from monai_unlearn.experiments.warm_runs import WarmServer; import sys; server = WarmServer(preloaded=());"
        "from monai_unlearn.safe_path import safe_environment; from pathlib import Path;"
        "log = open('log.txt', 'w');"
        "run = server.start('program_of_the_test', 'sleep', folder=Path.cwd(), stdout=log, env=safe_environment());"
        "print(run.pid, server._process.pid, flush=True); import os; os._exit(0)"
    )
    (tmp_path / "program_of_the_test.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    run, server = map(int, done.stdout.split())
    ends = time.monotonic() + 30
    while _is_there(server) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not _is_there(server)
    assert _is_there(run)
    os.kill(run, signal.SIGKILL)


def _is_there(number):
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_an_interrupt_before_a_run_is_forked_leaves_none_behind(tmp_path, monkeypatch):
    """It would be forked once the server has its imports, when nobody is left to end it."""
    (tmp_path / "run_of_the_test.py").write_text("print('ran', flush=True)\n", encoding="utf-8")
    monkeypatch.setattr(warm_runs.WarmRun, "_hear", interrupted)
    server = WarmServer(preloaded=())
    seen, printed = os.pipe()
    with os.fdopen(printed, "w") as log, pytest.raises(KeyboardInterrupt):
        server.start("run_of_the_test", folder=tmp_path, stdout=log, env=safe_environment())
    server.close()
    with os.fdopen(seen) as stream:
        assert stream.read() == ""  # to the end, when no process is left to print


def interrupted(_):
    raise KeyboardInterrupt


def test_an_interrupt_after_a_run_said_its_number_ends_it():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        heard, said = os.pipe()
        os.write(said, f"{process.pid}\n".encode())
        hear, calls = warm_runs.WarmRun._hear, []

        class Interrupted(warm_runs.WarmRun):
            def _hear(self):
                calls.append(1)
                if len(calls) == 1:
                    raise KeyboardInterrupt
                return hear(self)

        with pytest.raises(KeyboardInterrupt):
            Interrupted(heard)
        assert process.wait(10) == -signal.SIGKILL
        os.close(said)
