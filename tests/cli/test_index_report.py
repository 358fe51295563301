from __future__ import annotations

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.vocabulary.privacy import handle_of


@pytest.fixture
def index(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (4, 4)).save(folder / "a.png")
    (folder / "words.dcm").write_text("words", encoding="utf-8")
    built = CliRunner().invoke(app, ["index", "build", str(folder), "--out", str(tmp_path / "index")])
    assert built.exit_code == 0
    return tmp_path / "index"


def test_report_shows_images_and_faults(index):
    result = CliRunner().invoke(app, ["index", "report", str(index)])
    assert result.exit_code == 0
    assert "2, 1 of them images (1 image)" in result.stdout
    assert "1 not_an_image (left out)" in result.stdout


def test_json_is_one_document(index):
    result = CliRunner().invoke(app, ["index", "report", str(index), "--paths", "--json"])
    document = json.loads(result.stdout)
    assert (document["images"], document["rows"]) == (1, 2)
    assert document["faults"]["not_an_image"]["examples"] == [str(index.parent / "images" / "words.dcm")]


def test_missing_index_ends_with_2(tmp_path):
    result = CliRunner().invoke(app, ["index", "report", str(tmp_path / "absent")])
    assert result.exit_code == 2
    assert "absent: there is no such folder. Build it with" in result.stderr


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_paths_are_shown_only_when_asked(form, index):
    path = str(index.parent / "images" / "words.dcm")
    shown, hidden = (
        CliRunner().invoke(app, ["index", "report", str(index), *form, *more]) for more in (["--paths"], [])
    )
    assert path in shown.stdout.replace("\n", "")
    assert "words" not in hidden.stdout
    assert handle_of(path) in hidden.stdout
