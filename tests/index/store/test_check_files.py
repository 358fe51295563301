from __future__ import annotations

import os

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store import check_files as module
from monai_unlearn.index.store.check_files import FileCheck, check_files
from monai_unlearn.index.store.digest_cache import SETTLED_NS
from monai_unlearn.index.store.file_digest import file_digest


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Three files with their digests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paths = [tmp_path / "index" / f"part-{number}" for number in range(3)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        path.write_bytes(b"content" * (number + 1))
    return {path: file_digest(path) for path in paths}


@pytest.fixture
def large(monkeypatch):
    """Let files of any size and age be remembered."""
    monkeypatch.setattr(module, "SMALL", 0)
    monkeypatch.setattr(module.time, "time_ns", lambda: 2 * 10**18 + SETTLED_NS)


def change(path, *, keep_time=True):
    state = path.stat()
    content = bytearray(path.read_bytes())
    content[3] ^= 4
    path.write_bytes(bytes(content))
    if keep_time:
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_files_are_compared_and_the_cost_is_told(files, tmp_path):
    check = check_files(tmp_path / "index", files)
    assert (check.size, check.hashed, check.is_trusted) == (42, 42, False)
    document = check.document()
    assert document.pop("seconds") >= 0
    assert document == {"files": 3, "bytes": 42, "bytes_hashed": 42, "trusted": False}
    assert FileCheck().document() == {"files": 0, "bytes": 0, "bytes_hashed": 0, "seconds": 0.0, "trusted": True}


def test_a_changed_file_is_refused_by_name(files, tmp_path):
    path = list(files)[1]
    change(path)
    with pytest.raises(
        IndexReadError, match=r"part-1: expected .* digest sha256:[0-9a-f]{12}…, got sha256:[0-9a-f]{12}…"
    ):
        check_files(tmp_path / "index", files)
    with pytest.raises(
        IndexReadError, match=r"damaged .* Build it with: monai-unlearn index build SOURCE --out .*index$"
    ):
        check_files(tmp_path / "index", files)


def test_a_missing_file_is_refused_by_name(files, tmp_path):
    list(files)[2].unlink()
    with pytest.raises(IndexReadError, match=r"part-2: cannot be read \(No such file"):
        check_files(tmp_path / "index", files)


def test_large_files_are_hashed_once(files, large, tmp_path):
    assert check_files(tmp_path / "index", files).hashed == 42
    again = check_files(tmp_path / "index", files)
    assert (again.hashed, again.size, len(again.states)) == (0, 42, 3)


def test_a_known_file_is_hashed_again_when_it_changes(files, large, tmp_path):
    check_files(tmp_path / "index", files)
    first = next(iter(files))
    first.write_bytes(first.read_bytes())
    assert check_files(tmp_path / "index", files).hashed == 7
    assert check_files(tmp_path / "index", files).hashed == 0
    change(first)
    with pytest.raises(IndexReadError, match=r"part-0: expected the content"):
        check_files(tmp_path / "index", files)


def test_the_cache_cannot_vouch_for_a_file_of_another_digest(files, large, tmp_path):
    first = next(iter(files))
    change(first)
    check_files(tmp_path / "index", {**files, first: file_digest(first)})  # whoever wrote this cache knows the file
    with pytest.raises(IndexReadError, match=r"part-0: expected the content"):
        check_files(tmp_path / "index", files)


def test_small_indexes_need_no_cache(files, tmp_path):
    check_files(tmp_path / "index", files)
    assert not (tmp_path / "cache").exists()


def test_files_that_change_later_are_refused_then(files, tmp_path):
    check = check_files(tmp_path / "index", files)
    check.refuse_changes(tmp_path / "index")
    first = next(iter(files))
    change(first, keep_time=False)
    with pytest.raises(IndexReadError, match=r"part-0: expected the file as it was when the index was opened"):
        check.refuse_changes(tmp_path / "index")
    first.unlink()
    with pytest.raises(IndexReadError, match=r"part-0: this part of the index is missing"):
        check.refuse_changes(tmp_path / "index")
