"""Options that both commands that build an index have."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app

CSV = "id,PatientID,IssuerOfPatientID,Modality\na,1,A,CT\nb,1,B,CT\nc,2,B,SEG\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")

    def invoke(*options):
        words = ["index", "from-table", str(tmp_path / "t.csv"), "--id", "id", "--out", str(tmp_path / "index")]
        return CliRunner().invoke(app, [*words, *options])

    return invoke


def test_table_has_the_same_options(run):
    assert json.loads(run("--json").stdout)["images"] == 2
    options = ("--include-derived", "--patient-key", "PatientID,IssuerOfPatientID", "--json")
    assert json.loads(run(*options).stdout)["images"] == 3


def test_unknown_tag_of_the_key_is_refused(run):
    result = run("--patient-key", "PatientID,Isuer")
    assert result.exit_code == 2
    assert "got 'Isuer'" in result.output
