from __future__ import annotations

import copy
import errno
import multiprocessing
import os
import resource
import stat
from pathlib import Path

import pytest

from monai_unlearn.cache_folder import CacheFolder
from monai_unlearn.data.image_store import ImageStore
from monai_unlearn.errors import ConfigError


@pytest.fixture
def store(tmp_path):
    return ImageStore(CacheFolder(tmp_path), count=5, size=3)


def open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def fork(target, *arguments):
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    process.join(60)
    return process.exitcode


def test_a_row_is_there_once_it_is_written(store):
    assert [store.has(row) for row in range(5)] == [False] * 5
    store.write(3, b"abc")
    store.write(0, b"xyz")
    assert [store.has(row) for row in range(5)] == [True, False, False, True, False]
    assert (store.read(3), store.read(0)) == (b"abc", b"xyz")


def test_what_a_worker_writes_is_there_for_all(store):
    assert not store.has(2)
    assert fork(store.write, 2, b"abc") == 0
    assert store.has(2)
    assert store.read(2) == b"abc"


def test_a_copy_as_pickle_makes_it_opens_the_same_files(store):
    store.write(1, b"abc")
    other = copy.copy(store)
    assert (other.has(1), other.has(2), other.read(1)) == (True, False, b"abc")
    other.write(2, b"xyz")
    assert store.read(2) == b"xyz"


def test_its_files_are_for_their_owner_and_removed_with_it(store, tmp_path):
    [folder] = tmp_path.iterdir()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.name != "in-use.lock"}
    assert modes == {"records": 0o600, "marks": 0o600}


def test_they_are_removed_with_it(tmp_path):
    descriptors = open_files()
    store = ImageStore(CacheFolder(tmp_path), count=5, size=3)
    del store
    assert list(tmp_path.iterdir()) == []
    assert open_files() == descriptors


def test_refuses_a_disk_without_room_before_anything_is_decoded(tmp_path):
    with pytest.raises(ConfigError, match=r"images need 1,000,000,000.00 GB in .* and its disk has no room for them"):
        ImageStore(CacheFolder(tmp_path), count=10**9, size=10**9)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_is_told_and_leaves_the_row_unwritten(store):
    """A limit on the size of files stands for a full disk."""

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        store.write(0, b"abc")
        with pytest.raises(ConfigError, match="no room for them. Free some space, or choose another disk"):
            store.write(4, b"abc")

    assert fork(fill) == 0
    assert (store.has(0), store.has(4)) == (True, False)


def test_another_fault_of_the_disk_is_not_called_full(store, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(OSError, match="broken"):
        store.write(0, b"abc")


def test_a_write_that_the_system_cuts_short_goes_on(store, monkeypatch):
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, place: whole(file, bytes(data)[:1], place))
    store.write(1, b"abc")
    monkeypatch.undo()
    assert store.read(1) == b"abc"


def test_of_some_rows_those_that_are_not_written_are_missing(tmp_path):
    store = ImageStore(CacheFolder(tmp_path), count=5, size=3)
    store.write(1, b"abc")
    store.write(4, b"def")
    assert store.missing([4, 0, 1, 3]) == [0, 3]
