from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.studio import keys
from monai_unlearn.studio.forms import Form, Upload
from monai_unlearn.studio.keys import key_files, password_of, remove_stale, required_key


def test_a_key_is_on_disk_for_one_act_for_its_owner_alone():
    form = Form({}, {"key": Upload(b"secret"), "other": Upload(b"x")})
    with key_files(form) as files:
        path = required_key(files)
        assert path.read_bytes() == b"secret"
        assert path.name == "key.pem"
        assert set(files) == {"key"}
        assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]
    assert not path.parent.exists()


def test_a_key_of_a_killed_studio_is_removed_and_one_in_use_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "_MEMORY", tmp_path)
    monkeypatch.setattr(keys.tempfile, "gettempdir", lambda: str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    stale = tmp_path / f"monai-unlearn-key-{ended.pid}-x"
    stale.mkdir()
    (stale / "key.pem").write_bytes(b"secret")
    (tmp_path / "monai-unlearn-key-x").mkdir()
    with key_files(Form({}, {"key": Upload(b"mine")})) as files:
        assert files["key"].parent.parent == tmp_path
        remove_stale()
        assert files["key"].read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["monai-unlearn-key-x"]


def test_without_memory_that_is_a_folder_a_temporary_one_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "_MEMORY", tmp_path / "nothing")
    with key_files(Form({}, {"key": Upload(b"mine")})) as files:
        assert files["key"].is_file()
    assert str(os.getpid()) in files["key"].parent.name


def test_a_missing_key_is_named():
    with pytest.raises(InputError, match="no key file was chosen"):
        required_key({})


def test_an_empty_password_is_none():
    assert password_of(Form({"password": ""}, {})) is None
    assert password_of(Form({"password": "ä"}, {})) == "ä".encode()
