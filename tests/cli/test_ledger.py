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
    done = run(
        "ledger", "record", "unlearn", folder / "bundle", "--store", folder / "store", "--key", folder / "key.pem"
    )
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Line 1 of the ledger, sha256:")
    return folder


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_what_happened_is_shown(folder):
    done = run("ledger", "show", folder / "store")
    assert "unlearn" in done.output
    assert "Head: 1 lines, sha256:" in done.output
    document = json.loads(run("ledger", "show", folder / "store", "--json").stdout)
    assert document["lines"][0]["event"] == "unlearn"
    assert (document["head"]["count"], document["deployed"]) == (1, None)


def test_it_is_verified(folder, tmp_path):
    words = ("ledger", "verify", folder / "store", "--public-key", folder / "key.pub")
    done = run(*words)
    assert (done.exit_code, done.output) == (0, "1 lines: sound.\n")
    head = folder / "store" / "ledger_head.json"
    (tmp_path / "kept.json").write_text(head.read_text().replace('"count": 1', '"count": 2'))
    done = run(*words, "--head", tmp_path / "kept.json", "--json")
    assert done.exit_code == json.loads(done.stdout)["exit_code"] == 3
    assert run(*words, "--head", tmp_path / "missing.json").exit_code == 2
    assert "Note: Signatures were not checked" in run("ledger", "verify", folder / "store").output


def test_a_fault_is_a_line(folder):
    path = folder / "store" / "ledger.jsonl"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"verdict":"erased"', b'"verdict":"equivalent"'))
    done = run("ledger", "verify", folder / "store", "--public-key", folder / "key.pub")
    path.write_bytes(content)
    assert done.exit_code == 3
    assert done.output.splitlines()[0].startswith("line 1: was edited: its content has the hash sha256:")


def test_what_cannot_be_read(tmp_path):
    assert run("ledger", "verify", tmp_path).exit_code == 2
