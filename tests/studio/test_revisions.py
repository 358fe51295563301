from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from filelock import FileLock

from monai_unlearn.errors import InputError
from monai_unlearn.studio.revisions import Revisions, State, who_revised

JOB = {"bundle": "/nothing/bundle", "index": "/nothing/index", "spec": "/nothing/spec.yaml"}


@pytest.fixture
def revisions(tmp_path):
    return Revisions(tmp_path)


def planted(revisions, name, **files):
    folder = revisions.folder / name
    folder.mkdir()
    for file, content in {"job": JOB, **files}.items():
        (folder / f"{file}.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def running(revisions):
    """A revision whose process sleeps."""
    words = [sys.executable, "-c", "import time; print('on', flush=True); time.sleep(60)", "monai_unlearn.studio.job"]
    with subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE) as process:
        # Until then it may have no command line yet, by which it is recognised.
        assert process.stdout.readline() == b"on\n"
        planted(revisions, "mine", process={"pid": process.pid})
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("code", "state"),
    [(0, "accepted"), (3, "not accepted"), (2, "refused its input"), (130, "stopped"), (-9, "killed"), (1, "failed")],
)
def test_an_exit_code_is_a_state(revisions, code, state):
    planted(revisions, "mine", done={"exit_code": code})
    assert revisions.state("mine").value == state


def test_a_real_process_outlives_the_call_and_says_how_it_ended(revisions):
    revisions.start("mine", JOB)
    deadline = time.monotonic() + 120
    while revisions.state("mine") is State.RUNNING and time.monotonic() < deadline:
        time.sleep(0.2)
    assert revisions.state("mine") is State.REFUSED
    assert "Error: " in revisions.log("mine")
    assert revisions.names() == ["mine"]
    assert json.loads((revisions.folder / "mine" / "job.json").read_text(encoding="utf-8")) == JOB


def test_one_runs_at_a_time_and_is_cancelled_as_by_ctrl_c(revisions, running):
    assert revisions.is_busy()
    assert revisions.state("mine") is State.RUNNING
    with pytest.raises(InputError, match="one at a time"):
        revisions.start("other", JOB)
    with pytest.raises(InputError, match="one at a time"):
        revisions.resume("mine")
    revisions.cancel("mine")
    running.wait(timeout=60)
    assert revisions.state("mine") is State.STOPPED
    assert not revisions.is_busy()
    with pytest.raises(InputError, match="does not run"):
        revisions.cancel("mine")


def test_it_is_interrupted_once(revisions):
    """A second Ctrl-C would not let it write its checkpoint."""
    listen = "signal.signal(2, lambda *_: print('told', flush=True)); print('on', flush=True)"
    script = f"import signal, time\n{listen}\nwhile True: time.sleep(1)"
    words = [sys.executable, "-c", script, "monai_unlearn.studio.job"]
    with subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"on\n"
            planted(revisions, "mine", process={"pid": process.pid})
            revisions.cancel("mine")
            assert process.stdout.readline() == b"told\n"
            assert revisions.state("mine") is State.STOPPING
            assert revisions.is_busy()
            with pytest.raises(InputError, match="stops already"):
                revisions.cancel("mine")
        finally:
            process.kill()
    assert revisions.state("mine") is State.STOPPED


def test_two_tabs_do_not_start_at_once(revisions):
    planted(revisions, "mine", done={"exit_code": 130})
    with FileLock(revisions.folder / ".starting"):
        with pytest.raises(InputError, match="one at a time"):
            revisions.start("other", JOB)
        with pytest.raises(InputError, match="one at a time"):
            revisions.resume("mine")
    assert revisions.names() == ["mine"]


def test_what_does_not_start_says_so_and_leaves_the_one_that_runs_alone(revisions):
    planted(revisions, "mine", done={"exit_code": 130})
    with FileLock(revisions.folder / ".running"), pytest.raises(InputError, match="did not start"):
        revisions.resume("mine")
    assert "one at a time" in revisions.log("mine")
    assert not (revisions.folder / "mine" / "process.json").exists()


def test_a_number_that_another_process_has_now_is_not_touched(revisions):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        planted(revisions, "mine", process={"pid": process.pid})
        try:
            assert revisions.state("mine") is State.KILLED
            with pytest.raises(InputError, match="does not run"):
                revisions.cancel("mine")
            assert process.poll() is None
        finally:
            process.kill()


def test_what_is_finished_is_not_resumed_and_a_name_is_used_once(revisions):
    planted(revisions, "mine", done={"exit_code": 0})
    with pytest.raises(InputError, match="is finished"):
        revisions.resume("mine")
    with pytest.raises(InputError, match="choose another name"):
        revisions.start("mine", JOB)


@pytest.mark.parametrize("name", ["..", "../x", "", "/etc", "nothing"])
def test_a_name_that_leads_elsewhere_is_refused(revisions, name):
    for ask in (revisions.state, revisions.log, revisions.cancel, revisions.resume):
        with pytest.raises(InputError, match="name of letters|no such revision"):
            ask(name)


def test_a_run_whose_waiting_process_was_killed_still_runs_and_can_be_cancelled(revisions):
    """Otherwise a resume would start beside it."""
    # It says its number itself: before it runs it may have no command line yet, by which it is recognised.
    run = "import os, time; print(os.getpid(), flush=True); time.sleep(60)  # monai.bundle"
    waits = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {run!r}]).wait()"
    words = [sys.executable, "-c", waits, "monai_unlearn.studio.job"]
    with subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE) as process:
        child = int(process.stdout.readline())
        planted(revisions, "mine", process={"pid": process.pid})
        try:
            process.kill()
            process.wait(timeout=60)
            assert revisions.state("mine") is State.RUNNING
            assert revisions.is_busy()
            revisions.cancel("mine")
            deadline = time.monotonic() + 60
            while revisions.state("mine") is not State.STOPPED and time.monotonic() < deadline:
                time.sleep(0.05)
            assert revisions.state("mine") is State.STOPPED
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def test_texts_lie_in_the_folder_of_the_revision_and_the_job_names_them(revisions, monkeypatch):
    monkeypatch.setattr("monai_unlearn.studio.revisions._start", lambda _: None)
    revisions.start("mine", JOB, files={"protocol.yaml": "x: 1\n"})
    job = json.loads((revisions.folder / "mine" / "job.json").read_text(encoding="utf-8"))
    assert job == {**JOB, "protocol": str(revisions.folder.resolve() / "mine" / "protocol.yaml")}
    assert (revisions.folder / "mine" / "protocol.yaml").read_text() == "x: 1\n"


def test_who_asked_for_it_is_kept(revisions, tmp_path):
    folder = planted(revisions, "mine")
    assert revisions.who("mine") == ""
    (folder / "job.json").write_text(json.dumps({**JOB, "who": "Ada"}))
    assert revisions.who("mine") == who_revised(revisions.folder, folder / "run" / "revised_bundle") == "Ada"
    assert who_revised(revisions.folder, tmp_path / "elsewhere" / "run" / "revised_bundle") == ""
