from __future__ import annotations

import re

import pytest

from monai_unlearn.index.store.digest_cache import SETTLED_NS, DigestCache
from monai_unlearn.index.store.file_digest import FileState

STATE = FileState(device=1, inode=2, size=3, modified=4, changed=5)
DIGEST = "sha256:ab"
LATER = 10 * SETTLED_NS


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "monai-unlearn" / "index-files"


def test_only_the_same_file_with_the_same_digest_is_known(home, tmp_path):
    DigestCache(tmp_path).keep({STATE: DIGEST}, hashed_from=LATER)
    cache = DigestCache(tmp_path)
    assert cache.has(STATE, DIGEST)
    assert not cache.has(STATE, "sha256:cd")
    for name in FileState._fields:
        assert not cache.has(STATE._replace(**{name: 9}), DIGEST)
    assert not DigestCache(tmp_path / "other").has(STATE, DIGEST)


def test_the_cache_names_no_file_and_forgets_those_that_are_gone(home, tmp_path):
    DigestCache(tmp_path).keep({STATE: DIGEST}, hashed_from=LATER)
    other = STATE._replace(inode=7)
    DigestCache(tmp_path).keep({other: DIGEST}, hashed_from=LATER)
    (file,) = home.iterdir()
    assert re.fullmatch(r"[0-9a-f]{64}\n", file.read_text(encoding="utf-8"))
    assert not DigestCache(tmp_path).has(STATE, DIGEST)
    assert DigestCache(tmp_path).has(other, DIGEST)


def test_a_file_that_changed_shortly_before_is_not_known(home, tmp_path):
    for young in (STATE._replace(modified=LATER - SETTLED_NS), STATE._replace(changed=LATER - SETTLED_NS)):
        DigestCache(tmp_path).keep({young: DIGEST}, hashed_from=LATER)
        assert not DigestCache(tmp_path).has(young, DIGEST)
    assert not home.exists()


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"words of another program\n", b""])
def test_a_damaged_cache_knows_nothing(damage, home, tmp_path):
    DigestCache(tmp_path).keep({STATE: DIGEST}, hashed_from=LATER)
    (file,) = home.iterdir()
    file.write_bytes(damage)
    assert not DigestCache(tmp_path).has(STATE, DIGEST)


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    DigestCache(tmp_path).keep({STATE: DIGEST}, hashed_from=LATER)
    assert not DigestCache(tmp_path).has(STATE, DIGEST)


def test_a_user_without_home_has_no_cache(tmp_path, monkeypatch):
    from pathlib import Path

    def homeless():
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    DigestCache(tmp_path).keep({STATE: DIGEST}, hashed_from=LATER)
    assert not DigestCache(tmp_path).has(STATE, DIGEST)
