from __future__ import annotations

import subprocess
import sys

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.locks import locked

REFUSAL = ConfigError("another run has the lock")


def test_second_lock_is_refused_and_the_file_is_removed_with_the_lock(tmp_path):
    path = tmp_path / "folder" / "lock"
    with locked(path, refusal=REFUSAL):
        assert path.is_file()
        with pytest.raises(ConfigError, match="another run has the lock"), locked(path, refusal=REFUSAL):
            pass
        assert path.is_file()
    assert list(path.parent.iterdir()) == []
    with locked(path, refusal=REFUSAL):
        pass


def test_error_releases_the_lock(tmp_path):
    with pytest.raises(ValueError, match="within"), locked(tmp_path / "lock", refusal=REFUSAL):
        raise ValueError("within")
    with locked(tmp_path / "lock", refusal=REFUSAL):
        pass


HOLDER = """
import sys, os, signal
from pathlib import Path
from monai_unlearn.errors import ConfigError
from monai_unlearn.locks import locked
with locked(Path(sys.argv[1]), refusal=ConfigError("")):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_lock_of_a_killed_process_is_released(tmp_path):
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(ConfigError, match="another run has the lock"), locked(path, refusal=REFUSAL):
            pass
        holder.kill()
        holder.wait()
    with locked(path, refusal=REFUSAL):
        assert path.is_file()
