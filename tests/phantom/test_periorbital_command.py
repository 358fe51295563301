from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli.phantom import app


@pytest.fixture
def run():
    def invoke(*words: object):
        return CliRunner().invoke(app, ["periorbital", *map(str, words)])

    return invoke


def test_it_says_what_it_wrote_and_what_comes_next(run, tmp_path):
    out = tmp_path / "studies"
    result = run("--out", out, "--patients", 3, "--size", 64)
    assert result.exit_code == 0
    images = len(list((out / "images").rglob("*.dcm")))
    assert f"{images} images of 3 patients, 64 pixels across" in result.stdout
    for words in ("by device: ", "by diagnosis: healthy", "device 1, date 0, age 0, measurement 0"):
        assert words in result.stdout
    assert f"monai-unlearn index build {out / 'images'} --out {out}_index" in result.stdout
    assert f"--label diagnosis --measures {out / 'reports'}" in result.stdout
    assert "3/3" in result.stderr


def test_json_is_one_document(run, tmp_path):
    out = tmp_path / "studies"
    result = run(out, "--patients", 2, "--size", 64, "--seed", 4, "--no-reports", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["images"] == len(list(out.rglob("*.dcm")))
    assert (document["patients"], document["seed"], document["size"]) == (2, 4, 64)
    assert (document["out"], document["reports"]) == (str(out), False)


@pytest.mark.parametrize(("words", "got"), [([], 0), (["a", "--out", "b"], 2)], ids=["none", "two"])
def test_one_folder_must_be_given(run, words, got):
    result = run(*words)
    assert result.exit_code == 2
    assert f"one folder to write to, got {got}" in result.stderr


def test_a_number_out_of_range_ends_with_2(run, tmp_path):
    result = run(tmp_path / "studies", "--patients", 0)
    assert result.exit_code == 2
    assert "at least 1 patient" in result.stderr
