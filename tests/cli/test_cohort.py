"""`monai-unlearn cohort` as people and scripts use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cohort_index import HEAD, make_index
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.vocabulary.fields import Kind

RUNNER = CliRunner()
SPECS = Path(__file__).parents[2] / "cohort_specs"


@pytest.fixture
def index(tmp_path):
    columns = {"ManufacturerModelName": ["old", "new", None], "diagnosis": ["amd", "amd", None]}
    kinds = dict.fromkeys(columns, Kind.TEXT)
    return make_index(tmp_path / "index", columns, kinds, label="diagnosis").directory


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + "forget: device == old\n")
    return path


def _run(*arguments):
    return RUNNER.invoke(app, ["cohort", *map(str, arguments)])


def test_preview_prints_one_json_document(spec, index):
    result = _run("preview", spec, "--index", index, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert set(document) == {
        "name",
        "reason",
        "spec_digest",
        "index_digest",
        "images",
        "patients",
        "patients_in_both",
        "attrition",
        "classes",
        "classes_emptied",
        "strata",
        "value_lists",
        "warnings",
    }
    assert document["images"] == document["patients"] == {"forget": 1, "remain": 1, "undetermined": 1}
    assert document["attrition"][-1] == {
        "rule": "device == old",
        "images_in": 3,
        "images_out": 1,
        "studies_in": 3,
        "studies_out": 1,
        "patients_in": 3,
        "patients_out": 1,
        "images_unknown": 1,
    }


def test_preview_prints_tables_for_people(spec, index):
    result = _run("preview", spec, "--index", index)
    assert result.exit_code == 0
    for text in (
        "Parts",
        "From the index to the forget part",
        "device == old",
        "(no label)",
        "Note: 1 images",
    ):
        assert text in result.stdout


def test_freeze_writes_the_manifest_and_says_so(spec, index, tmp_path):
    out = tmp_path / "cohort.json"
    result = _run("freeze", spec, "--index", index, "--out", out, "--json")
    assert result.exit_code == 0
    said, content = json.loads(result.stdout), json.loads(out.read_text())
    assert said == {
        "manifest": str(out),
        "digest": content["digest"],
        "images": content["images"],
        "patients": content["patients"],
        "patients_in_both": 0,
        "classes_emptied": [],
        "value_lists": [],
        "warnings": ["1 images are undetermined and used for neither part."],
    }
    assert digest_of({key: value for key, value in content.items() if key != "digest"}) == content["digest"]
    assert content["image_ids"] == {"forget": ["i00"], "remain": ["i01"], "undetermined": ["i02"]}


def test_freezing_twice_gives_the_same_bytes(spec, index, tmp_path):
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    for out in (first, second):
        result = _run("freeze", spec, "--index", index, "--out", out)
        assert result.exit_code == 0
        assert f"{out}: 1 images forget, 1 images remain, 1 images undetermined, sha256:" in result.stdout
    assert first.read_bytes() == second.read_bytes()


def test_a_frozen_cohort_is_replaced_only_by_force(spec, index, tmp_path):
    out = tmp_path / "cohort.json"
    out.write_text("precious")
    assert _run("freeze", spec, "--index", index, "--out", out).exit_code == 2
    assert out.read_text() == "precious"
    assert _run("freeze", spec, "--index", index, "--out", out, "--force").exit_code == 0
    assert out.read_text() != "precious"


BAD = {
    "$import os\n": "specs are data",
    HEAD + "forget: devise == old\n": "unknown field 'devise'. Did you mean 'device'?",
    HEAD + "forget: device = old\n": "write ==",
    HEAD + "forget: device == nothing like it\n": "the forget part of 'test' is empty",
    HEAD + "forget: device == old\nexpect: {images: {min: 2}}\n": "expected at least 2 images",
    HEAD + "forget: missing(device)\n": "every tag is missing",
    "a: &b 1\n": "anchors",
    "\x00": "not valid YAML",
}


@pytest.mark.parametrize("command", ["preview", "freeze"])
@pytest.mark.parametrize(("text", "message"), BAD.items())
def test_bad_input_is_one_message_and_exit_code_2(command, text, message, spec, index, tmp_path):
    spec.write_text(text)
    out = tmp_path / "cohort.json"
    more = ["--out", out] if command == "freeze" else []
    result = _run(command, spec, "--index", index, *more)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("Error: ") == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()
    as_json = _run(command, spec, "--index", index, *more, "--json")
    assert as_json.exit_code == 2
    assert message in json.loads(as_json.stdout)["error"]["message"]


def test_a_missing_index_or_spec_is_one_message(spec, index, tmp_path):
    for arguments in ([spec, "--index", tmp_path / "none"], [tmp_path / "none.yaml", "--index", index]):
        result = _run("preview", *arguments)
        assert result.exit_code == 2
        assert "none" in result.stderr
        assert "Traceback" not in result.stderr


def test_no_message_holds_a_value_of_the_index(tmp_path, spec):
    columns = {
        "patient": ["Secret^Name"] * 2,
        "image_id": ["SECRET1", "SECRET2"],
        "ManufacturerModelName": ["S3CRET", None],
    }
    index = make_index(tmp_path / "private", columns, {"ManufacturerModelName": Kind.TEXT})
    for line in (
        "forget: device == x",
        "forget: exists(device)",
        "forget: device > 3",
        "forget: device == S\nunknown: fail",
    ):
        spec.write_text(HEAD + line + "\n")
        result = _run("preview", spec, "--index", index.directory)
        assert result.exit_code in {0, 2}
        assert "secret" not in result.output.lower()
        assert "s3cret" not in result.output.lower()


@pytest.mark.parametrize("command", ["preview", "freeze"])
def test_help_teaches_with_an_example(command):
    result = _run(command, "--help")
    assert result.exit_code == 0
    assert "Example: monai-unlearn cohort" in " ".join(result.stdout.split())


def test_diff_counts_and_lists_the_images_that_move(spec, index, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(HEAD + "forget: device == new\n")
    result = _run("diff", spec, other, "--index", index, "--list", "--json")
    assert result.exit_code == 0, result.stderr
    assert "i00" in result.stdout
    assert _run("diff", spec, other, "--index", index).exit_code == 0


def test_check_holds_until_an_image_moves(spec, index, tmp_path):
    out = tmp_path / "cohort.json"
    _run("freeze", spec, "--index", index, "--out", out)
    held = _run("check", out, "--index", index, "--json")
    assert (held.exit_code, json.loads(held.stdout)["holds"]) == (0, True)
    columns = {"ManufacturerModelName": ["old", "old", "new"], "diagnosis": ["amd", "amd", None]}
    make_index(index, columns, dict.fromkeys(columns, Kind.TEXT), label="diagnosis")
    moved = _run("check", out, "--index", index, "--list", "--json")
    assert (moved.exit_code, json.loads(moved.stdout)["holds"]) == (3, False)
    assert _run("check", out, "--index", index).exit_code == 3


def test_a_manifest_that_somebody_changed_is_refused(spec, index, tmp_path):
    out = tmp_path / "cohort.json"
    _run("freeze", spec, "--index", index, "--out", out)
    out.write_text(out.read_text().replace('"i00"', '"i09"'))
    assert _run("check", out, "--index", index).exit_code == 2


def test_schema_accepts_a_spec_and_refuses_a_misspelt_key(tmp_path):
    schema = json.loads(_run("schema").stdout)
    Draft202012Validator.check_schema(schema)
    spec = {"schema_version": 1, "name": "x", "reason": "other", "forget": "device == old"}
    validator = Draft202012Validator(schema)
    assert validator.is_valid(spec)
    assert not validator.is_valid({**spec, "scop": "image"})
    for path in sorted(SPECS.glob("*.yaml")):
        assert validator.is_valid(yaml.safe_load(path.read_text(encoding="utf-8"))), path
    assert all("description" in part for part in schema["properties"].values())
    out = tmp_path / "schema.json"
    assert _run("schema", "--out", out).exit_code == 0
    assert json.loads(out.read_text()) == schema


def test_small_counts_are_suppressed(spec, index):
    result = _run("preview", spec, "--index", index, "--suppress-below", "5", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["images"]["forget"] == "<5"
