from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monai_unlearn.vocabulary import handle_key as module
from monai_unlearn.vocabulary.handle_key import handle_key

SHOW = "from monai_unlearn.vocabulary.handle_key import handle_key; print(handle_key().hex())"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    module._kept.cache_clear()
    return tmp_path / "cache" / "monai-unlearn" / "handle.key"


def in_a_process():
    return bytes.fromhex(
        subprocess.run([sys.executable, "-c", SHOW], check=True, capture_output=True, text=True).stdout
    )


def test_processes_of_one_user_have_one_key_that_only_this_user_may_read(home):
    with ThreadPoolExecutor(3) as pool:
        found = {future.result() for future in [pool.submit(in_a_process) for _ in range(3)]}
    assert found == {handle_key()} == {home.read_bytes()}
    assert len(handle_key()) == 32
    assert home.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.parent.iterdir()] == ["handle.key"]


def test_another_user_has_another_key(home, tmp_path, monkeypatch):
    first = in_a_process()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert in_a_process() != first


def test_what_is_no_key_is_replaced(home):
    home.parent.mkdir(parents=True)
    home.write_bytes(b"short")
    assert len(handle_key()) == 32
    assert home.read_bytes() == handle_key()


def test_where_none_can_be_kept_a_process_has_its_own(home, monkeypatch):
    home.parent.parent.mkdir()
    home.parent.write_text("a file in the way", encoding="utf-8")
    assert handle_key() == handle_key() == module._process_key()

    def homeless():
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert handle_key() == module._process_key()
