from __future__ import annotations

import json

import pytest
from cohort_index import HEAD, make_index
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(f"{HEAD}forget: device == Cirrus 800 FA\n")
    return path


def _run(*arguments):
    return CliRunner().invoke(app, ["cohort", *map(str, arguments)])


def test_validate(spec):
    result = _run("validate", spec, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["valid"] is True
    assert "test: a valid spec" in _run("validate", spec).stdout


def test_validate_ends_with_2_and_every_fault(spec):
    spec.write_text(f"{HEAD}forget: [devise = 3, device < 3]\nscop: image\n")
    result = _run("validate", spec, "--json")
    assert result.exit_code == 2
    message = json.loads(result.stdout)["error"]["message"]
    assert "3 faults" in message
    assert f"{spec}:4:17" in message


def test_explain(spec, tmp_path):
    index = make_index(tmp_path / "index", {"device": ["Cirrus 800 FA", None]}, {"device": Kind.TEXT})
    result = _run("explain", spec, "--index", index.directory, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["fields"][0]["missing"] == 1
    assert "device is “Cirrus 800 FA”" in _run("explain", spec).stdout


@pytest.mark.parametrize("command", ["validate", "explain"])
def test_help_teaches(command):
    text = _run(command, "--help").stdout
    assert f"monai-unlearn cohort {command} cohort_specs/retire-camera.yaml" in text
    assert "Exit codes" in text
