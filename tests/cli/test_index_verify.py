from __future__ import annotations

import json

import pytest
from cohort_index import make_index
from PIL import Image
from swaps import swap
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
    assert "1 of 2 files is not as it was written. Build it with" in result.stderr


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


@pytest.fixture
def archive(tmp_path):
    """An index of four pictures of the same size, with the digests of their pixels."""
    (tmp_path / "images").mkdir()
    for number in range(4):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(tmp_path / "images" / f"{number}.bmp")
    given = ["index", "build", str(tmp_path / "images"), "--out", str(tmp_path / "archive"), "--pixel-digest"]
    assert RUNNER.invoke(app, given).exit_code == 0
    return tmp_path / "archive"


def test_images_are_compared_if_asked_for(archive):
    assert "of images" not in RUNNER.invoke(app, ["index", "verify", str(archive)]).stdout
    result = RUNNER.invoke(app, ["index", "verify", str(archive), "--pixels"])
    assert result.exit_code == 0, result.output
    assert "All 4 images are the files that were indexed." in result.stdout


def test_swapped_images_are_named_and_end_with_2(archive, tmp_path):
    swap(str(tmp_path / "images" / "1.bmp"), str(tmp_path / "images" / "2.bmp"))
    result = RUNNER.invoke(app, ["index", "verify", str(archive), "--pixels"])
    assert result.exit_code == 2
    assert result.stdout.count(": other pixels\n") == 2
    assert "bmp" not in result.stdout
    assert "Their paths are in the index, in the column path." in result.stdout
    remedy = "Restore the files; if they are meant to be others: Build it with: monai-unlearn index"
    assert f"2 of 4 images are not the files that were indexed. {remedy}" in result.stderr
    document = json.loads(RUNNER.invoke(app, ["index", "verify", str(archive), "--pixels", "--json"]).stdout)
    assert (document["sound"], document["pixels"]["images"]) == (False, 4)
    assert [bad["problem"] for bad in document["pixels"]["bad"]] == ["pixels", "pixels"]


def test_images_of_an_unsound_index_are_not_compared(archive):
    spoil(archive)
    result = RUNNER.invoke(app, ["index", "verify", str(archive), "--pixels", "--json"])
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert (document["sound"], document["pixels"]) == (False, None)
    result = RUNNER.invoke(app, ["index", "verify", str(archive), "--pixels"])
    assert "The images were not compared, because the index is not as it was written.\n" in result.stdout
    assert "not compared" not in RUNNER.invoke(app, ["index", "verify", str(archive)]).stdout
    assert "as it was written. Build it with" in result.stderr


def test_an_index_without_digests_of_pixels_ends_with_2(index):
    result = RUNNER.invoke(app, ["index", "verify", str(index), "--pixels"])
    assert result.exit_code == 2
    assert "expected the column pixel_digest, found none" in result.stderr
