from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from monai_unlearn.cli import app

CSV = "id,scanner,PatientID,PatientAge\na,Cirrus,P-secret,045Y\nb,Spectralis,,***\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text(CSV, encoding="utf-8")

    def invoke(*words: object):
        return CliRunner().invoke(app, ["index", *map(str, words)])

    return invoke


def test_table_becomes_an_index_for_specs(run, tmp_path):
    words = ("--id", "id", "--out", "index", "--rename", "ManufacturerModelName=scanner")
    result = run("from-table", "table.csv", *words)
    assert result.exit_code == 0
    assert "2 images of 2 rows" in result.stdout
    assert "1 missing_patient_id (counts)" in result.stdout
    assert "monai-unlearn cohort preview SPEC --index index" in result.stdout
    assert "secret" not in result.output
    spec = tmp_path / "spec.yaml"
    spec.write_text("schema_version: 1\nname: t\nreason: other\nforget: device == Cirrus\n", encoding="utf-8")
    preview = CliRunner().invoke(app, ["cohort", "preview", str(spec), "--index", "index", "--json"])
    assert json.loads(preview.stdout)["images"] == {"forget": 1, "remain": 1, "undetermined": 0}


def test_json_is_one_document(run):
    result = run("from-table", "table.csv", "--id", "id", "--out", "index", "--json", "--label", "scanner")
    document = json.loads(result.stdout)
    assert (document["rows"], document["images"], document["label"]) == (2, 2, "scanner")
    assert document["faults"] == {
        "missing_patient_id": {"count": 1, "usable": True},
        "invalid_age": {"count": 1, "usable": True},
    }
    assert document["columns"]["PatientAge"] == "age"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("absent.csv", "--id", "id"), "this table is missing"),
        (("table.csv", "--id", "iid"), "no column 'iid'. Did you mean 'id'"),
        (("table.csv", "--id", "id", "--rename", "x"), "--rename x: expected NEW=OLD"),
        (("table.csv", "--id", "id", "--label", "x"), "--label x: the index has no such column"),
    ],
)
def test_bad_input_ends_with_2_and_nothing_written(words, message, run, tmp_path):
    result = run("from-table", *words, "--out", "index")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "index").exists()


def test_report_is_readable_and_a_document(run):
    assert run("from-table", "table.csv", "--id", "id", "--out", "index").exit_code == 0
    shown = run("report", "index")
    assert shown.exit_code == 0
    assert "2, 2 of them images (2 table)" in shown.stdout
    assert "1 missing_patient_id (counts)" in shown.stdout
    assert "secret" not in shown.output
    document = json.loads(run("report", "index", "--json").stdout)
    assert document["patients"] == 1
    assert document["fill"]["PatientAge"] == 0.5
    assert document["faults"]["missing_patient_id"]["count"] == 1


def test_report_of_a_missing_index_ends_with_2(run):
    result = run("report", "absent", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["kind"] == "IndexReadError"


def test_commands_load_neither_torch_nor_image_libraries(run, tmp_path):
    code = (
        "import sys; from monai_unlearn.cli import app; app(sys.argv[1:], standalone_mode=False); "
        "print([name for name in ('torch', 'monai', 'PIL', 'nibabel') if name in sys.modules], file=sys.stderr)"
    )
    for words in (["from-table", "table.csv", "--id", "id", "--out", "index"], ["report", "index"]):
        command = [sys.executable, "-c", code, "index", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        assert done.stderr.splitlines()[-1] == "[]"


def test_delimiter_is_named_and_taken(run, tmp_path):
    (tmp_path / "semi.csv").write_text("file;scanner\na.png;NULL\nb.png;Spectralis\n", encoding="utf-8")
    refused = run("from-table", "semi.csv", "--id", "file", "--out", "index")
    assert (refused.exit_code, "Read it with: --delimiter ';'" in refused.stderr) == (2, True)
    taken = run("from-table", "semi.csv", "--id", "file", "--out", "index", "--delimiter", ";")
    assert taken.exit_code == 0, taken.output
    assert "scanner: “NULL” in 1 row read as missing" in taken.stdout
    (tmp_path / "images").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "images" / "a.png")
    joined = ("build", "images", "--out", "other", "--table", "semi.csv", "--key", "file")
    assert run(*joined).exit_code == 2
    result = run(*joined, "--delimiter", ";", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["tables"][0]["read_as_missing"] == {"scanner": 1}
    wrong = run(*joined, "--delimiter", ";;")
    assert (wrong.exit_code, "expected one character" in wrong.stderr) == (2, True)
