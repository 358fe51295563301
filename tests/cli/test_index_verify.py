from __future__ import annotations

import json

import pytest
from cohort_index import make_index
from typer.testing import CliRunner

from monai_unlearn.cli import app

RUNNER = CliRunner()


@pytest.fixture
def index(tmp_path):
    return make_index(tmp_path / "index", {"image_id": ["a", "b"]}).directory


def spoil(index):
    (part,) = index.glob("parts/*.parquet")
    content = bytearray(part.read_bytes())
    content[20] ^= 8
    part.write_bytes(bytes(content))
    return part.relative_to(index).as_posix()


def test_a_sound_index_ends_with_0(index):
    result = RUNNER.invoke(app, ["index", "verify", str(index)])
    assert result.exit_code == 0
    assert "all 2 files are as they were written" in result.stdout
    assert "MB hashed in" in result.stdout


def test_a_bad_file_is_named_and_ends_with_2(index):
    name = spoil(index)
    result = RUNNER.invoke(app, ["index", "verify", str(index)])
    assert result.exit_code == 2
    assert f"{name}: changed: expected sha256:" in result.stdout
    assert "1 of 2 files are not as they were written. Build the index again with" in result.stderr


def test_json_is_one_document(index):
    name = spoil(index)
    result = RUNNER.invoke(app, ["index", "verify", str(index), "--json"])
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert (document["sound"], document["files"]) == (False, 2)
    assert [(bad["file"], bad["problem"]) for bad in document["bad"]] == [(name, "changed")]


def test_a_lost_file_is_named(index):
    name = spoil(index)
    (index / name).unlink()
    result = RUNNER.invoke(app, ["index", "verify", str(index)])
    assert f"{name}: missing\n" in result.stdout


def test_a_missing_index_ends_with_2(tmp_path):
    result = RUNNER.invoke(app, ["index", "verify", str(tmp_path / "absent")])
    assert result.exit_code == 2
    assert "there is no such folder" in result.stderr
