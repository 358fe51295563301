from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli.phantom import app


@pytest.fixture
def run():
    def invoke(*words: object):
        return CliRunner().invoke(app, ["mri", *map(str, words)])

    return invoke


def test_it_says_what_it_wrote_and_what_comes_next(run, tmp_path):
    out = tmp_path / "studies"
    result = run(out, "--patients", 3, "--size", 32, "--slices", 1)
    assert result.exit_code == 0
    assert f"{len(list(out.rglob('*.dcm')))} images of 3 patients, 32 pixels a side" in result.stdout
    assert "by diagnosis: glioma " in result.stdout
    assert f"monai-unlearn index build {out} --out {out}_index" in result.stdout


def test_volumes_come_with_masks_and_the_names_of_their_labels(run, tmp_path):
    out = tmp_path / "studies"
    result = run("--out", out, "--patients", 2, "--size", 32, "--nifti", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["nifti"] is True
    images, masks = ({path.name for path in (out / name).iterdir()} for name in ("images", "masks"))
    assert images == masks
    assert images
    assert json.loads((out / "mask_labels.json").read_text()) == {"brain": 1, "lesion": 2}


@pytest.mark.parametrize(
    ("words", "message"), [(["--slices", 16], "from 1 to 15 slices"), (["--size", 16], "size from 32 to 512")]
)
def test_numbers_out_of_range_end_with_2(run, tmp_path, words, message):
    result = run(tmp_path / "studies", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_a_folder_it_ends_with_2(run):
    result = run()
    assert result.exit_code == 2
    assert "--out DIR" in result.stderr
