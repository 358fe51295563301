from __future__ import annotations

import hashlib
import os

from monai_unlearn.index.store import file_digest as module
from monai_unlearn.index.store.file_digest import file_digest, file_state


def test_the_digest_is_that_of_the_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 4)
    path = tmp_path / "file"
    for content in (b"", b"four", b"ten bytes."):
        path.write_bytes(content)
        assert file_digest(path) == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_the_state_changes_with_size_time_and_file(tmp_path):
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"1")
    states = [file_state(path)]
    path.write_bytes(b"12")
    states.append(file_state(path))
    os.utime(path, ns=(5, 5))
    states.append(file_state(path))
    other.write_bytes(b"12")
    os.utime(other, ns=(5, 5))
    states.append(file_state(other))
    assert len(set(states)) == 4
    assert [state.size for state in states] == [1, 2, 2, 2]
    assert [state.modified for state in states[2:]] == [5, 5]
    assert file_state(path) == states[2]
