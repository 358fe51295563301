from __future__ import annotations

import stat

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.studio.forms import Form, Upload
from monai_unlearn.studio.keys import key_files, password_of, required_key


def test_a_key_is_on_disk_for_one_act_for_its_owner_alone():
    form = Form({}, {"key": Upload("../../etc/key.pem", b"secret"), "other": Upload("x", b"x")})
    with key_files(form) as files:
        path = required_key(files)
        assert path.read_bytes() == b"secret"
        assert path.name == "key.pem"
        assert set(files) == {"key"}
        assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]
    assert not path.parent.exists()


def test_a_missing_key_is_named():
    with pytest.raises(InputError, match="no key file was chosen"):
        required_key({})


def test_an_empty_password_is_none():
    assert password_of(Form({"password": ""}, {})) is None
    assert password_of(Form({"password": "ä"}, {})) == "ä".encode()
