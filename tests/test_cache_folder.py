from __future__ import annotations

import copy
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from monai_unlearn.cache_folder import PREFIX, CacheFolder, check_outside, check_stays, remove_left
from monai_unlearn.errors import ConfigError

WAITS = """
import sys, time
from pathlib import Path
from monai_unlearn.cache_folder import CacheFolder
folder = CacheFolder(Path(sys.argv[1]))
(folder.path / "records").write_bytes(b"image")
print(folder.path, flush=True)
if sys.argv[2] == "wait":
    time.sleep(60)
"""


def started(parent, then="wait"):
    process = subprocess.Popen([sys.executable, "-c", WAITS, str(parent), then], stdout=subprocess.PIPE, text=True)
    return process, parent / process.stdout.readline().strip().rpartition("/")[2]


def aged(folder):
    """Let a folder look old enough not to be one that is just being made."""
    os.utime(folder, (time.time() - 600,) * 2)


def test_it_is_for_its_owner_alone(tmp_path):
    folder = CacheFolder(tmp_path / "scratch")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert folder.path.parent == tmp_path / "scratch"
    assert folder.path.name.startswith(PREFIX)
    assert folder.free > 0


def test_it_is_among_temporary_files_by_default(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert CacheFolder().path.parent == tmp_path


def test_it_is_removed_with_its_object(tmp_path):
    folder = CacheFolder(tmp_path)
    (folder.path / "records").write_bytes(b"image")
    del folder
    assert list(tmp_path.iterdir()) == []


def test_it_is_removed_at_the_end_of_the_process(tmp_path):
    process, _ = started(tmp_path, "end")
    assert process.wait(60) == 0
    process.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_a_worker_process_does_not_remove_it(tmp_path):
    folder = CacheFolder(tmp_path)
    process = multiprocessing.get_context("fork").Process(target=folder.remove)
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert folder.path.is_dir()
    assert copy.copy(folder).path == folder.path  # as pickle copies it for a worker
    assert folder.path.is_dir()


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_is_not(tmp_path):
    (killed, left), (running, in_use) = started(tmp_path), started(tmp_path)
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait(60)
        aged(left)
        aged(in_use)
        folder = CacheFolder(tmp_path)
        assert not left.exists()
        assert (in_use / "records").read_bytes() == b"image"
        assert folder.path.is_dir()
    finally:
        running.kill()
        running.wait(60)
        for process in (killed, running):
            process.stdout.close()


def test_a_folder_that_is_just_being_made_is_left_alone(tmp_path):
    young = tmp_path / f"{PREFIX}young"
    young.mkdir()
    remove_left(tmp_path)
    assert young.is_dir()
    aged(young)
    remove_left(tmp_path)
    assert not young.exists()


def test_refuses_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="decoded images cannot be kept in .*Choose a folder that you can write to"):
        CacheFolder(tmp_path / "file" / "scratch")


@pytest.mark.parametrize("made", ["configs/metadata.json", "evidence/metrics.json"])
def test_refuses_a_place_in_a_bundle_or_among_results(tmp_path, made):
    (tmp_path / "out" / made).parent.mkdir(parents=True)
    (tmp_path / "out" / made).write_text("{}")
    check_stays(tmp_path)
    for place in ("out", "out/docs/scratch"):
        with pytest.raises(
            ConfigError, match=r"is inside .*out, which is passed on, and decoded images are patient data"
        ):
            CacheFolder(tmp_path / place)
    assert not (tmp_path / "out" / "docs").exists()


def test_refuses_a_place_among_the_results_of_this_run(tmp_path):
    check_outside(tmp_path / "scratch", tmp_path / "out")
    with pytest.raises(ConfigError, match=r"is inside .*out, which is passed on"):
        check_outside(tmp_path / "out" / "scratch", tmp_path / "out")
