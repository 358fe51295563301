from __future__ import annotations

import os

import pytest
from release_example import write_keys

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.sign import sign_file
from monai_unlearn.watch.mailbox import Letter
from monai_unlearn.watch.trust import Trusted, named_users, user_number


def letter(content=b"x", *, name="a.txt", owner=7, others_write=False):
    return Letter(name=name, content=content, owner=owner, others_write=others_write)


def test_owners_are_trusted_unless_others_write():
    trusted = Trusted(owners=frozenset({7}))
    assert trusted.of(letter(), None) == ("owner", "")
    assert trusted.of(letter(others_write=True), None)[0] is None
    assert trusted.of(letter(owner=8), None)[0] is None


def test_a_signature_is_trusted_for_its_content_and_name_alone(tmp_path):
    private, public = write_keys(tmp_path)
    _, other = write_keys(tmp_path, "other")
    file = tmp_path / "a.txt"
    file.write_bytes(b"x")
    signature = sign_file(file, private).read_bytes()
    trusted = Trusted(keys=(other, public))
    assert trusted.of(letter(), signature) == ("key", "")
    assert trusted.of(letter(b"y"), signature)[0] is None
    by_name, why = trusted.of(letter(name="b.txt"), signature)
    assert (by_name, "or is of a file with another name" in why) == (None, True)
    assert trusted.of(letter(), signature[:-9])[0] is None
    assert trusted.of(letter(), b"")[0] is None
    assert Trusted(keys=(other,)).of(letter(), signature)[0] is None


def test_a_signature_of_a_folder_is_not_one_of_a_file(tmp_path):
    private, public = write_keys(tmp_path)
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"x")
    signature = sign_file(folder, private).read_bytes()
    assert Trusted(keys=(public,)).of(letter(), signature)[0] is None


def test_users_by_name_and_number():
    assert user_number("4711") == 4711
    assert named_users(["root"]) == {0}
    with pytest.raises(ConfigError, match="--owner nobody-of-this-name: expected a user of this system"):
        named_users(["nobody-of-this-name"])
    assert os.getuid() >= 0
