from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli.phantom import app


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("words", "size", "shown"),
    [
        (
            ("fundus", "--size", 64),
            "64 pixels per side",
            ("by device: Cirrus 800 FA", "by diagnosis: normal", "without their tag of: device 1, date 0, age 0"),
        ),
        (("mri", "--size", 32, "--slices", 1), "32 pixels per side", ("by device: ", "by diagnosis: glioma ")),
        (
            ("periorbital", "--size", 64),
            "64 pixels across",
            ("by diagnosis: healthy", "device 1, date 0, age 0, measurement 0"),
        ),
    ],
    ids=["fundus", "mri", "periorbital"],
)
def test_reports_what_it_wrote(tmp_path, words, size, shown):
    out = tmp_path / "studies"
    result = run(*words, out, "--patients", 3)
    assert result.exit_code == 0
    images = out / "images" if (out / "images").is_dir() else out
    assert f"{len(list(images.rglob('*.dcm')))} images of 3 patients, {size}" in result.stdout
    for text in shown:
        assert text in result.stdout


@pytest.mark.parametrize(
    ("kind", "images", "options"),
    [
        ("fundus", ".", "--key SOPInstanceUID --label diagnosis"),
        ("mri", ".", "--label diagnosis --key SOPInstanceUID"),
        ("periorbital", "images", "--key SOPInstanceUID --label diagnosis --measures {out}/reports"),
    ],
)
def test_shows_the_next_command(tmp_path, kind, images, options):
    out = tmp_path / "studies"
    result = run(kind, out, "--patients", 1, "--size", 64)
    command = f"monai-unlearn index build {out / images} --out {out}_index --table {out / 'labels.csv'}"
    assert f"{command} {options.format(out=out)}" in result.stdout


def test_nifti_volumes_come_with_masks_and_the_names_of_their_labels(tmp_path):
    out = tmp_path / "studies"
    result = run("mri", "--out", out, "--patients", 2, "--size", 32, "--nifti", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["nifti"] is True
    images, masks = ({path.name for path in (out / name).iterdir()} for name in ("images", "masks"))
    assert images == masks
    assert images
    assert json.loads((out / "mask_labels.json").read_text()) == {"brain": 1, "lesion": 2}


def test_the_progress_bar_goes_to_stderr(tmp_path):
    result = run("fundus", tmp_path / "studies", "--patients", 2, "--size", 64)
    assert "2/2" in result.stderr
    assert "2/2" not in result.stdout


@pytest.mark.parametrize("words", [("fundus",), ("periorbital", "--no-reports")], ids=" ".join)
def test_json_is_one_document(tmp_path, words):
    out = tmp_path / "studies"
    result = run(*words, out, "--patients", 2, "--size", 64, "--seed", 4, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["images"] == len(list(out.rglob("*.dcm")))
    assert (document["patients"], document["seed"], document["size"]) == (2, 4, 64)
    assert (document["out"], document["labels"]) == (str(out), str(out / "labels.csv"))
    assert sum(document["diagnoses"].values()) == document["images"]
    assert document.get("reports", False) is False


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fundus", "--patients", 0], "at least 1 patient"),
        (["fundus", "--size", 32], "size from 64 to 2048"),
        (["fundus", "--seed", -1], "seed from 0"),
        (["mri", "--slices", 16], "from 1 to 15 slices"),
        (["mri", "--size", 16], "size from 32 to 512"),
        (["periorbital", "--patients", 0], "at least 1 patient"),
    ],
)
def test_numbers_out_of_range_end_with_2(tmp_path, words, message):
    result = run(words[0], tmp_path / "studies", *words[1:])
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "studies").exists()


def test_a_folder_in_use_ends_with_2_also_as_json(tmp_path):
    (tmp_path / "kept.txt").write_text("kept", encoding="utf-8")
    result = run("fundus", tmp_path, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["kind"] == "InputError"
    assert "new or empty folder" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


@pytest.mark.parametrize("kind", ["mri", "periorbital"])
@pytest.mark.parametrize(("words", "got"), [([], 0), (["a", "--out", "b"], 2)], ids=["none", "two"])
def test_one_folder_must_be_given(kind, words, got):
    result = run(kind, *words)
    assert result.exit_code == 2
    assert f"one folder to write to, got {got}" in result.stderr
