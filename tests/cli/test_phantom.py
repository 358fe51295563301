from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli.phantom import app


@pytest.fixture
def run():
    def invoke(*words: object):
        return CliRunner().invoke(app, ["fundus", *map(str, words)])

    return invoke


def test_fundus_says_what_it_wrote_and_what_comes_next(run, tmp_path):
    out = tmp_path / "studies"
    result = run(out, "--patients", 3, "--size", 64)
    assert result.exit_code == 0
    images = len(list(out.rglob("*.dcm")))
    assert f"{images} images of 3 patients, 64 pixels a side" in result.stdout
    for words in ("by device: Cirrus 800 FA", "by diagnosis: normal", "without their tag of: device 1, date 0, age 0"):
        assert words in result.stdout
    command = f"monai-unlearn index build {out} --out {out}_index --table {out / 'labels.csv'}"
    assert f"{command} --key SOPInstanceUID --label diagnosis" in result.stdout


def test_the_progress_bar_goes_to_stderr(run, tmp_path):
    result = run(tmp_path / "studies", "--patients", 2, "--size", 64)
    assert "2/2" in result.stderr
    assert "2/2" not in result.stdout


def test_json_is_one_document(run, tmp_path):
    out = tmp_path / "studies"
    result = run(out, "--patients", 2, "--size", 64, "--seed", 4, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["images"] == len(list(out.rglob("*.dcm")))
    assert (document["patients"], document["seed"], document["size"]) == (2, 4, 64)
    assert document["out"] == str(out)
    assert document["labels"] == str(out / "labels.csv")
    assert sum(document["diagnoses"].values()) == document["images"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--patients", 0], "at least 1 patient"),
        (["--size", 32], "size from 64 to 2048"),
        (["--seed", -1], "seed from 0"),
    ],
)
def test_numbers_out_of_range_end_with_2(run, tmp_path, words, message):
    result = run(tmp_path / "studies", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "studies").exists()


def test_a_folder_in_use_ends_with_2_also_as_json(run, tmp_path):
    (tmp_path / "kept.txt").write_text("kept", encoding="utf-8")
    result = run(tmp_path, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["kind"] == "InputError"
    assert "new or empty folder" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
