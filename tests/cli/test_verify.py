from __future__ import annotations

import json

import pytest
from release_example import write_keys, write_release
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.release.sign import sign


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    write_release(folder / "bundle")
    write_keys(folder)
    write_keys(folder, "other")
    sign(folder / "bundle", folder / "key.pem")
    return folder


def run(folder, *words, key="key"):
    given = ["verify", folder / "bundle", "--public-key", folder / f"{key}.pub", *words]
    return CliRunner().invoke(app, [str(word) for word in given])


def test_a_sound_release(folder):
    done = run(folder)
    assert (done.exit_code, done.output) == (0, "Some 1.1.0: sound.\n")
    report = json.loads(run(folder, "--json").stdout)
    assert (report["sound"], report["exit_code"], report["faults"]) == (True, 0, [])


def test_one_line_a_fault_and_the_lowest_code(folder):
    added = folder / "bundle" / "added"
    added.write_text("x")
    done = run(folder, key="other")
    added.unlink()
    assert done.exit_code == 3
    first, second, last = done.output.splitlines()
    assert first == "bundle.sig: was made with another key than other.pub."
    assert second.startswith("added: is not part of the release (sha256 2d7116")
    assert last == "Some 1.1.0: 2 faults. Do not deploy it."
    assert run(folder, key="other").exit_code == 4


def test_unsigned(folder):
    done = run(folder, "--signature", folder / "none.sig", "--json")
    assert done.exit_code == json.loads(done.stdout)["exit_code"] == 5


def test_a_replay_needs_an_index_and_a_sound_bundle(folder, tmp_path):
    for words in (["--replay"], ["--index", tmp_path]):
        done = run(folder, *words)
        assert done.exit_code == 2
        assert "--replay and --index DIR belong together" in done.output
    done = run(folder, "--replay", "--index", tmp_path, key="other")
    assert done.exit_code == 4
    assert "Note: Nothing was replayed: that would run the bundle." in done.output


def test_what_cannot_be_read(folder, tmp_path):
    assert run(tmp_path).exit_code == 2
    assert run(folder, key="missing").exit_code == 2
