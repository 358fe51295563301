"""Every command that opens an index compares it with its digests, says what that cost, and takes `--trust`."""

from __future__ import annotations

import json

import pytest
from cohort_index import HEAD, make_index
from typer.testing import CliRunner

from monai_unlearn.cli import app, index_check
from monai_unlearn.vocabulary.fields import Kind

RUNNER = CliRunner()


@pytest.fixture
def index(tmp_path):
    columns = {"ManufacturerModelName": ["old", "new"], "note": ["first", "second"]}
    return make_index(tmp_path / "index", columns, dict.fromkeys(columns, Kind.TEXT)).directory


@pytest.fixture
def commands(index, tmp_path):
    spec, manifest, frozen = tmp_path / "spec.yaml", tmp_path / "cohort.json", tmp_path / "again.json"
    spec.write_text(HEAD + "forget: device == old\n", encoding="utf-8")
    said = RUNNER.invoke(app, ["cohort", "freeze", str(spec), "--index", str(index), "--out", str(manifest)])
    assert said.exit_code == 0
    given = ["--index", str(index), "--json"]
    return {
        "preview": ["cohort", "preview", str(spec), *given],
        "diff": ["cohort", "diff", str(spec), str(spec), *given],
        "freeze": ["cohort", "freeze", str(spec), *given, "--out", str(frozen), "--force"],
        "check": ["cohort", "check", str(manifest), *given],
        "explain": ["cohort", "explain", str(spec), *given],
        "report": ["index", "report", str(index), "--json"],
    }


NAMES = ["preview", "diff", "freeze", "check", "explain", "report"]


def spoil(index):
    """Change a byte of the file's metadata, which no command needs to read."""
    (part,) = index.glob("parts/*.parquet")
    content = part.read_bytes()
    place = content.index(b"parquet-cpp-arrow")
    part.write_bytes(content[:place] + b"q" + content[place + 1 :])


@pytest.mark.parametrize("name", NAMES)
def test_the_cost_is_in_the_document(name, commands, index):
    result = RUNNER.invoke(app, commands[name])
    assert result.exit_code == 0, result.output
    check = json.loads(result.stdout)["index_check"]
    size = sum(path.stat().st_size for path in index.glob("parts/*"))
    assert check.pop("seconds") >= 0
    assert check == {"files": 1, "bytes": size, "bytes_hashed": size, "trusted": False}


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_part_is_refused_unless_it_is_trusted(name, commands, index):
    spoil(index)
    result = RUNNER.invoke(app, commands[name])
    assert result.exit_code == 2
    assert "expected the content with the digest sha256:" in json.loads(result.stdout)["error"]["message"]
    trusted = RUNNER.invoke(app, [*commands[name], "--trust"])
    assert trusted.exit_code == 0, trusted.output
    assert json.loads(trusted.stdout)["index_check"]["trusted"] is True


def test_a_changed_document_is_refused_even_if_trusted(commands, index):
    document = index / "index.json"
    document.write_text(document.read_text(encoding="utf-8").replace('"rows": 2', '"rows": 3'), encoding="utf-8")
    result = RUNNER.invoke(app, [*commands["preview"], "--trust"])
    assert result.exit_code == 2
    assert "index.json: expected the content with the digest" in result.stderr


def test_a_noticeable_wait_is_explained(commands, monkeypatch):
    assert RUNNER.invoke(app, commands["preview"]).stderr == ""
    monkeypatch.setattr(index_check, "_NOTICEABLE", 0.0)
    assert "compared with their digests, in" in RUNNER.invoke(app, commands["preview"]).stderr


def test_a_sweep_takes_the_option():
    assert "--trust" in RUNNER.invoke(app, ["sweep", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).stdout
