from __future__ import annotations

import json

import pytest
from lineage_example import entry, lineage
from typer.testing import CliRunner

from monai_unlearn.cli import app


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text('{"version": "0.3.0", "name": "Eyes"}', encoding="utf-8")
    return tmp_path


def show(bundle, *words):
    return CliRunner().invoke(app, ["history", str(bundle), *words], env={"COLUMNS": "200"})


def test_shows_versions_cohorts_reasons_counts_verdicts_and_digests(bundle):
    lineage(entry(verdict="equivalent"), entry("0.3.0", base_version="0.2.0", cohort="withdrawn")).write(bundle)
    found = show(bundle)
    assert found.exit_code == 0
    text = found.stdout
    for words in ("Eyes 0.3.0", "0.1.0 → 0.2.0", "0.2.0 → 0.3.0", "retire-old", "withdrawn", "device deprecation"):
        assert words in text
    assert "equivalent" in text
    assert text.count("members: sha256:") == text.count("spec: sha256:") == text.count("manifest: sha256:") == 2
    assert f"lineage.json: {json.loads((bundle / 'lineage.json').read_text('utf-8'))['digest']}" in text


def test_json_is_one_document(bundle):
    lineage().write(bundle)
    document = json.loads(show(bundle, "--json").stdout)
    assert set(document) == {"bundle", "name", "version", "revisions", "digest"}
    assert document["revisions"][1]["base_version"] == "0.2.0"
    assert document["revisions"][1]["images"] == {"forget": 2, "remain": 8, "undetermined": 0}


def test_says_that_a_bundle_was_never_revised(bundle):
    assert "Never revised: nothing was forgotten." in show(bundle).stdout
    assert json.loads(show(bundle, "--json").stdout)["revisions"] == []


def test_a_changed_lineage_is_refused(bundle):
    lineage().write(bundle)
    path = bundle / "lineage.json"
    path.write_text(path.read_text("utf-8").replace("withdrawn", "nothing"), "utf-8")
    found = show(bundle)
    assert found.exit_code == 2
    assert "does not match its digest" in found.stderr


def test_another_folder_is_refused(tmp_path):
    assert show(tmp_path / "nowhere").exit_code == 2
