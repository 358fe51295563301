from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from monai_unlearn.errors import DataError, TrainingError
from monai_unlearn.experiments import runner
from monai_unlearn.experiments.runner import BundleRun, bundle_command, side_by_side, threads_each
from monai_unlearn.safe_path import safe_environment


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run whose process is a program of the test's own."""
    config = tmp_path / "bundle" / "configs" / "unlearn.yaml"
    made = BundleRun(config=config, settings={"seed": "3", "a::b": "[1]"}, folder=tmp_path / "runs" / "first")
    started, original = [], runner.start

    def play(program):
        def start(words, **streams):
            started.append(words)
            return original([sys.executable, "-c", program, str(made.output.metrics)], **streams)

        monkeypatch.setattr(runner, "start", start)
        return made, started

    return play


WRITES = """
import json, os, pathlib, sys
path = pathlib.Path(sys.argv[1])
path.parent.mkdir(parents=True)
path.write_text(json.dumps({"threads": os.environ.get("OMP_NUM_THREADS")}))
"""


def test_the_command_has_the_settings_and_where_the_results_go(run):
    made, _ = run("")
    assert made.command[4:] == [
        "monai.bundle",
        "run",
        "unlearn",
        "--config_file",
        str(made.config),
        "--seed=3",
        "--a::b=[1]",
        f"--output_dir={made.folder / 'run'}",
    ]


def test_a_finished_run_is_not_run_again(run):
    made, started = run(f"{WRITES}\nsys.exit(3)")
    assert not made.is_finished
    first = made.finish(threads=2)
    assert json.loads(first.metrics.read_text(encoding="utf-8")) == {"threads": "2"}
    assert made.finish() == first
    assert len(started) == 1


HELD = """
import fcntl, sys
log = open(sys.argv[1])
fcntl.flock(log, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_process_that_outlived_its_parent_is_waited_for(run, tmp_path):
    made, _ = run("")
    made.wait_for_orphan()  # there was no run
    made.execute()
    words = [sys.executable, "-c", HELD, str(made.folder / "log.txt")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout.readline() == b"held\n"
        waiting = threading.Thread(target=made.wait_for_orphan, daemon=True)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        orphan.stdin.close()
        waiting.join(60)
        assert not waiting.is_alive()


PRINTS_ITS_LOCK = """
import fcntl, pathlib, sys
log = open(pathlib.Path(sys.argv[1]).parents[2] / "log.txt")
try:
    fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("free")
except BlockingIOError:
    print("held")
"""


def test_a_run_holds_the_lock_of_its_log(run):
    made, _ = run(PRINTS_ITS_LOCK)
    assert made.execute() == (0, "held")


@pytest.mark.parametrize("in_ledger", [False, True])
def test_trials_stay_out_of_the_ledger_of_the_site(run, in_ledger, monkeypatch):
    monkeypatch.setenv("MONAI_UNLEARN_STORE", "store")
    monkeypatch.setenv("MONAI_UNLEARN_KEY", "key")
    made, _ = run("import os; print(os.environ.get('MONAI_UNLEARN_STORE'), os.environ.get('MONAI_UNLEARN_KEY'))")
    assert replace(made, in_ledger=in_ledger).execute()[1] == ("store key" if in_ledger else "None None")


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        (
            "print('x'); print('Error: no such spec.'); raise SystemExit(2)",
            DataError,
            "refused its input: no such spec",
        ),
        ("print('the loss is NaN.'); raise SystemExit(1)", TrainingError, "exit code 1: the loss is NaN. Its log is"),
        ("raise SystemExit(3)", TrainingError, "exit code 3: it printed nothing"),
    ],
)
def test_a_run_that_failed_is_named_with_its_log(run, program, error, message):
    made, started = run(program)
    for _ in range(2):
        with pytest.raises(error, match=message):
            made.finish()
    assert len(started) == 2
    assert (made.folder / "log.txt").is_file()


def test_the_others_end_when_one_fails(run):
    made, _ = run("import time; time.sleep(60)")
    begun = threading.Event()

    def work(number):
        if number == 0:
            begun.set()
            return made.execute()
        begun.wait()
        while not runner._running:
            time.sleep(0.01)
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt, match="^$"):
        side_by_side(work, [1, 0], jobs=2)
    assert time.monotonic() - started < 50
    assert not runner._running
    assert not made.is_finished


def test_what_ends_by_a_failure_elsewhere_is_not_begun_again(run):
    made, started = run("import time; time.sleep(5)")

    def work(number):
        if number == 0:
            return [made.execute() for _ in range(3)]  # as trials go on after one that failed
        while not runner._running:
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="^$"):
        side_by_side(work, [1, 0], jobs=2)
    assert len(started) == 1
    assert side_by_side(str, [1, 2], jobs=2) == ["1", "2"]
    assert not runner._ending.is_set()


def test_a_run_that_begins_while_others_are_ended_is_ended_too(run, monkeypatch):
    made, _ = run("import time; time.sleep(60)")
    processes, start, is_starting = [], runner.start, threading.Event()

    def late(words, **streams):
        is_starting.set()
        runner._ending.wait(20)
        processes.append(start(words, **streams))
        return processes[-1]

    def work(number):
        if number == 0:
            return made.execute()
        is_starting.wait(20)
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "start", late)
    with pytest.raises(KeyboardInterrupt, match="^$"):
        side_by_side(work, [1, 0], jobs=2)
    assert processes[0].poll() not in {None, 0}  # it did not sleep to its end


def test_an_interrupted_run_leaves_no_process(run, monkeypatch):
    made, _ = run("import time; time.sleep(60)")
    processes, start = [], runner.start

    class Interrupted:
        def __init__(self, process):
            self.process = process

        def wait(self, timeout=None):
            if timeout is None:
                raise KeyboardInterrupt
            return self.process.wait(timeout)

        def __getattr__(self, name):
            return getattr(self.process, name)

    def interrupted(words, **streams):
        processes.append(start(words, **streams))
        return Interrupted(processes[-1])

    monkeypatch.setattr(runner, "start", interrupted)
    with pytest.raises(KeyboardInterrupt, match="^$"):
        made.execute()
    assert processes[0].poll() is not None


@pytest.mark.parametrize("jobs", [1, 3])
def test_results_come_in_the_order_of_the_items(jobs):
    def slowly(number):
        time.sleep(0.02 * (3 - number))
        return number

    assert side_by_side(slowly, range(3), jobs=jobs) == [0, 1, 2]


def test_several_runs_share_the_processors(monkeypatch):
    monkeypatch.setattr(runner.os, "cpu_count", lambda: 16)
    assert [threads_each(jobs) for jobs in (1, 4, 32)] == [None, 4, 1]


IMPORTS = """\
imports: [$from scripts.named import who, $import scripts.parts.more as more]
unlearn: ["$print(who(), more.SAYS)"]
"""


def write_scripts(folder, name):
    """A package `scripts`, as bundles of the model zoo have it, that says whose it is."""
    (folder / "scripts" / "parts").mkdir(parents=True)
    (folder / "scripts" / "__init__.py").touch()
    (folder / "scripts" / "named.py").write_text(f"def who():\n    return {name!r}\n", encoding="utf-8")
    (folder / "scripts" / "parts" / "more.py").write_text(f"SAYS = {name!r}\n", encoding="utf-8")
    return folder


def test_scripts_are_those_of_the_bundle_wherever_the_run_is_started(tmp_path, monkeypatch):
    """Another bundle is the current folder, and a third is on the path of the user."""
    bundle = write_scripts(tmp_path / "a bundle", "its own")
    (bundle / "configs").mkdir()
    (bundle / "configs" / "unlearn.yaml").write_text(IMPORTS, encoding="utf-8")
    elsewhere, known = (write_scripts(tmp_path / name, name) for name in ("elsewhere", "known"))
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(known), os.environ.get("PYTHONPATH", "")]))
    config = bundle.relative_to(tmp_path) / "configs" / "unlearn.yaml"
    words = bundle_command([".." / config], "unlearn", {})
    done = subprocess.run(words, env=safe_environment(), capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.split("\n")[-2:]) == (0, ["its own its own", ""]), done.stderr
