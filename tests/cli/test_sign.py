from __future__ import annotations

import json

import pytest
from release_example import write_keys, write_release
from typer.testing import CliRunner

from monai_unlearn.cli import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    write_release(folder / "bundle")
    write_keys(folder)
    write_keys(folder, "locked", password=b"secret")
    return folder


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_signing_says_what_was_signed(folder):
    done = run("sign", folder / "bundle", "--key", folder / "key.pem")
    assert done.exit_code == 0, done.output
    assert "Signed Some 1.1.0:" in done.output
    assert "  weights: sha256:" in done.output
    (folder / "bundle" / "docs" / "note").write_text("x")
    done = run("sign", folder / "bundle", "--key", folder / "key.pem")
    assert "New in the release, which no run wrote: docs/note" in done.output


def test_json_and_password(folder, tmp_path):
    (tmp_path / "password").write_text("secret\n")
    words = ("sign", folder / "bundle", "--key", folder / "locked.pem", "--signature", tmp_path / "a.sig", "--json")
    done = run(*words, "--password-file", tmp_path / "password")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["signature"] == str(tmp_path / "a.sig")
    assert run(*words).exit_code == 2
    assert run(*words, "--password-file", tmp_path / "missing").exit_code == 2


def test_what_is_no_bundle_is_refused(folder, tmp_path):
    done = run("sign", tmp_path, "--key", folder / "key.pem")
    assert done.exit_code == 2
    assert "is not a MONAI bundle" in done.output
