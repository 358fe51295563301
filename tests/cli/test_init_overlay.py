from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner
from zoo_classifiers import LAYOUTS, write_bundle, write_data

from monai_unlearn.cli import app


def run(*words):
    return CliRunner().invoke(app, ["init-overlay", *map(str, words)])


def test_writes_and_prints_the_command_line(tmp_path):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["template"](), weights=False)
    found = run(root, "--no-dry-run", "--healthy", "background")
    assert found.exit_code == 0, found.output
    lines = found.stdout.strip().splitlines()
    configs = f"{root}/configs"
    assert lines[-1] == f"  monai-unlearn unlearn {root} --index INDEX --spec SPEC --out OUT"
    assert lines[-2] == (
        f"  python -m monai.bundle run unlearn --config_file \"['{configs}/inference.yaml','{configs}/unlearn.yaml']\" "
        "--index_dir INDEX --cohort_spec SPEC --output_dir OUT"
    )
    assert "Note: There are no weights at models/model.pt." in found.stdout
    assert "for the classes background, circle, triangle, rectangle." in found.stdout
    assert "Dry run" not in found.stderr
    again = run(root, "--no-dry-run")
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_json_is_one_document(tmp_path):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["template"](), weights=False)
    found = run(root, "--no-dry-run", "--json", "--classes", "a, b, c, d")
    assert json.loads(found.stdout)["class_names"] == ["a", "b", "c", "d"]


def test_what_cannot_work_ends_with_2(tmp_path):
    layout = LAYOUTS["pathology_nuclei"]()
    root = write_bundle(tmp_path / "bundle", layout, weights=False)
    found = run(root, "--no-dry-run", "--index", write_data(tmp_path, layout))
    assert found.exit_code == 2
    assert found.stdout.startswith("Cannot work (label_is_file): preprocessing reads the key 'label' as a file")
    assert found.stderr.strip().endswith("Error: nothing was written: the bundle cannot be revised as it is.")
    document = json.loads(run(root, "--no-dry-run", "--json").stdout)
    assert document["written"] == []
    assert [one["code"] for one in document["problems"]] == ["label_is_file"]
    with_column = run(root, "--no-dry-run", "--column", "label=mask", "--column", "clinical=age,size")
    assert with_column.exit_code == 0, with_column.output
    assert '"clinical": ["age", "size"]' in (root / "configs" / "unlearn.yaml").read_text()


def test_an_output_by_its_name(tmp_path):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["template"](), weights=False)
    assert run(root, "--no-dry-run", "--output", "main").exit_code == 0
    assert "network_output: main\n" in (root / "configs" / "unlearn.yaml").read_text()


@pytest.mark.parametrize("column", ["mask", "label=", "=mask"])
def test_a_column_without_a_key(tmp_path, column):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["template"](), weights=False)
    found = run(root, "--no-dry-run", "--column", column)
    assert found.exit_code == 2
    assert "expected KEY=COLUMN" in found.stderr
