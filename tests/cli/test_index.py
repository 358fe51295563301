from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from measure_files import make_mask
from PIL import Image
from typer.testing import CliRunner

from monai_unlearn.cli import app

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def images(tmp_path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number, name in enumerate("ab"):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def run():
    def invoke(*words: object):
        return CliRunner().invoke(app, ["index", "build", *map(str, words)])

    return invoke


def test_build_ends_with_the_next_command(images, tmp_path, run):
    result = run(images, "--out", tmp_path / "index")
    assert result.exit_code == 0
    assert f"monai-unlearn cohort preview SPEC --index {tmp_path / 'index'}" in result.stdout
    assert (tmp_path / "index" / "index.json").is_file()


def test_json_is_one_document_on_stdout(images, tmp_path, run):
    table = tmp_path / "labels.csv"
    table.write_text("name,subject,eye\na.png,s,l\nb.png,s,r\nc.png,s,l\n", encoding="utf-8")
    words = ("--table", table, "--key", "name=file_name", "--label", "eye", "--patient", "subject", "--json")
    result = run(images, "--out", tmp_path / "index", *words)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["images"] == 2
    assert document["patients"] == 1
    assert document["label"] == "eye"
    assert document["files"] == {"reused": 0, "added": 2, "changed": 0, "moved": 0, "resumed": 0, "vanished": 0}
    assert document["tables"][0]["unmatched_row_numbers"] == [3]
    assert document["digest"].startswith("sha256:")


def test_fault_ends_with_0_or_with_2_under_strict_and_the_index_is_written(images, tmp_path, run):
    (images / "c.dcm").write_bytes(b"words")
    assert run(images, "--out", tmp_path / "index").exit_code == 0
    result = run(images, "--out", tmp_path / "strict", "--strict", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["faults"]["not_an_image"]["count"] == 1
    assert "files have faults, and --strict was given. The index is written." in result.stderr
    assert (tmp_path / "strict" / "index.json").is_file()
    (images / "c.dcm").unlink()
    assert run(images, "--out", tmp_path / "strict", "--strict").exit_code == 0


def test_units_and_measures_become_part_of_the_index(images, tmp_path, run):
    table = tmp_path / "widths.csv"
    table.write_text("name,width\na.png,3\n", encoding="utf-8")
    mask = make_mask(tmp_path / "masks" / "a_seg.nii.gz", np.ones((2, 2, 1), np.uint8))
    (tmp_path / "labels.yaml").write_text("1: iris\n", encoding="utf-8")
    words = ("--table", table, "--key", "name", "--unit", "width=mm", "--json")
    words += ("--measures", mask.parent, "--mask-labels", tmp_path / "labels.yaml")
    document = json.loads(run(images, "--out", tmp_path / "index", *words).stdout)
    assert document["units"]["width"] == "mm"
    assert document["units"]["iris_area"] == "mm2"
    (measures,) = document["measures"]
    assert measures["files"] == {"NIfTI": 1}
    assert measures["path"] == str(mask.parent)
    stored = json.loads((tmp_path / "index" / "index.json").read_text(encoding="utf-8"))
    assert stored["measures"] == document["measures"]
    assert stored["origins"]["iris_area"] == "mask:masks"
    assert stored["units"] == document["units"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent"], "absent: expected a file or folder of images, but nothing is there."),
        (["images/cut.png"], "cut.png: this file is cut short"),
        (["images", "--table", "labels.csv"], "got 1 --table and 0 --key"),
        (["images", "--table", "labels.csv", "--key", "nam"], "no column 'nam'. Did you mean 'name'?"),
        (["images", "--label", "fault_"], "--label fault_: the index has no such column. Did you mean 'fault'?"),
        (["images", "--unit", "width"], "--unit width: expected COLUMN=UNIT"),
        (["images", "--unit", "width=mm"], "--unit width=…: no table has this column."),
        (["images", "--measures", "absent"], "absent: expected a file or folder"),
        (["images", "--measures", "images"], "--measures images: this contains the source images"),
        (["images", "--measures", "labels.csv"], "labels.csv: this file is neither a NIfTI mask"),
        (["images", "--measures", "labels.csv", "--mask-labels", "absent.json"], "absent.json: cannot be read"),
    ],
)
def test_bad_input_ends_with_one_message_and_2_and_nothing_written(words, message, images, tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (images / "cut.png").write_bytes((images / "a.png").read_bytes()[:-3])
    (tmp_path / "labels.csv").write_text("name,n\na.png,1\n", encoding="utf-8")
    result = run(*words, "--out", "index")
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("Error: ") == 1
    assert "Traceback" not in result.output
    assert not (tmp_path / "index").exists()


def test_error_is_a_document_too(tmp_path, run):
    result = run(tmp_path / "absent", "--out", tmp_path / "index", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["kind"] == "IndexReadError"


def test_command_line_does_not_load_what_only_its_work_needs():
    code = (
        "import sys, monai_unlearn.cli; "
        "print([name for name in ('torch', 'monai', 'pandas', 'pyarrow', 'pydicom', 'PIL', 'pint', 'nibabel') "
        "if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_building_loads_neither_torch_nor_monai_nor_what_only_measures_need(images, tmp_path):
    code = (
        "import sys; from monai_unlearn.cli import app; app(sys.argv[1:], standalone_mode=False); "
        "print([name for name in ('torch', 'monai', 'pint', 'nibabel', 'highdicom') "
        "if name in sys.modules], file=sys.stderr)"
    )
    words = ["index", "build", str(images), "--out", str(tmp_path / "index"), "--json"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
