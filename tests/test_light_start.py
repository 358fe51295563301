"""The rooms of metadata start without the libraries for pixels, as `sys.modules` of a fresh process shows."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cohort_index import HEAD, make_index
from PIL import Image

from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from pathlib import Path

# Runs its first argument, then writes the names of all top-level modules to the file in its second.
PROGRAM = """
import atexit, json, pathlib, sys
code, report, *sys.argv[1:] = sys.argv[1:]
def write():
    names = sorted({name.partition(".")[0] for name in sys.modules})
    pathlib.Path(report).write_text(json.dumps(names), encoding="utf-8")
atexit.register(write)
exec(code)
"""
COMMAND = "from monai_unlearn.cli import main; main()"

LEARNING = {"torch", "monai", "ignite"}
TABLES = {"pandas", "pyarrow", "duckdb", "pydicom"}


@pytest.fixture
def loaded(tmp_path):
    """Run code, or a command, in its own process, and return the top-level modules it has loaded."""

    def run(code: str, *words: object, exit_code: int = 0) -> set[str]:
        report = tmp_path / "modules.json"
        arguments = [sys.executable, "-c", PROGRAM, code, str(report), *map(str, words)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == exit_code, done.stderr
        return set(json.loads(report.read_text(encoding="utf-8")))

    return run


@pytest.mark.parametrize("module", ["monai_unlearn", "monai_unlearn.cli"])
def test_import(module, loaded):
    modules = loaded(f"import {module}")
    assert "monai_unlearn" in modules
    assert not modules & (LEARNING | TABLES)


@pytest.mark.parametrize(
    "module",
    [
        "experiments.run",
        "experiments.rehearse",
        "experiments.replay",
        "experiments.unlearn",
        "result",
        "experiments.overlay.init_overlay",
        "cohort.resolve.resolve",
        "cohort.reports.report",
        "card.renderers",
        "cohort.lineage.history",
        "evaluation.decision",
        "evaluation.predictors",
        "evaluation.audits",
        "index.build",
        "phantom",
        "release",
        "release.bundle_info",
        "release.check_store",
        "release.inspection",
        "release.ledger",
        "release.lineage",
        "release.promote",
        "release.record_run",
        "release.results.find",
        "release.results.send",
        "release.sign",
        "release.sums",
        "release.verify",
        "studio.app",
        "vocabulary.units",
        "watch.service",
    ],
)
def test_rooms_of_metadata(module, loaded):
    modules = loaded(f"import monai_unlearn.{module}")
    assert "monai_unlearn" in modules
    assert not modules & LEARNING


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["index", "--help"],
        ["cohort", "--help"],
        ["unlearn", "--help"],
        ["sweep", "--help"],
        ["rehearse", "--help"],
        ["history", "--help"],
        ["sign", "--help"],
        ["verify", "--help"],
        ["promote", "--help"],
        ["ledger", "--help"],
        ["inspect", "--help"],
        ["init-overlay", "--help"],
        ["card", "--help"],
        ["studio", "--help"],
        ["watch", "--help"],
    ],
    ids=" ".join,
)
def test_help(words, loaded):
    modules = loaded(COMMAND, *words)
    assert "typer" in modules
    assert not modules & (LEARNING | TABLES)


def test_names_of_the_package_load_what_they_need(loaded):
    assert not loaded("from monai_unlearn import UnlearnError, __version__") & (LEARNING | TABLES)
    assert not loaded("from monai_unlearn import CohortSpec, Index, Result, unlearn") & LEARNING


def test_unlearn_leaves_learning_to_its_run(tmp_path, loaded):
    words = ("unlearn", tmp_path, "--index", tmp_path, "--spec", tmp_path, "--out", tmp_path / "out")
    assert not loaded(COMMAND, *words, exit_code=2) & LEARNING


# DuckDB 1, the newest for Python 3.10, imports pandas where a parameter of a query is a list.
WITH_QUERIES = {"pandas"} if sys.version_info >= (3, 11) else set()


def test_index_build(tmp_path, loaded):
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (4, 4)).save(images / "a.png")
    modules = loaded(COMMAND, "index", "build", images, "--out", tmp_path / "index", "--json")
    assert modules >= {"duckdb", "pydicom"}  # it did its work
    assert not modules & (LEARNING | WITH_QUERIES | {"nibabel", "requests", "rich"})


def test_cohort_preview(tmp_path, loaded):
    spec = write_spec(tmp_path)
    columns = {"device": ["Old", "New", None], "volume": [1.0, 2.0, None]}
    kinds = {"device": Kind.TEXT, "volume": Kind.NUMBER}
    make_index(tmp_path / "index", columns, kinds, units={"volume": "ml"})
    modules = loaded(COMMAND, "cohort", "preview", spec, "--index", tmp_path / "index", "--json")
    assert "duckdb" in modules  # it did its work
    assert not modules & (LEARNING | WITH_QUERIES | {"pydicom", "pint", "rich"})


def test_cohort_validate(tmp_path, loaded):
    modules = loaded(COMMAND, "cohort", "validate", write_spec(tmp_path))
    assert "lark" in modules  # it did its work
    assert not modules & (LEARNING | TABLES | {"numpy"})


def test_verify(tmp_path, loaded):
    (tmp_path / "bundle" / "configs").mkdir(parents=True)
    (tmp_path / "bundle" / "configs" / "metadata.json").write_text('{"version": "1.0"}')
    modules = loaded(COMMAND, "verify", tmp_path / "bundle", exit_code=5)
    assert "numpy" in modules  # it did its work
    assert not modules & (LEARNING | {"model_signing", "sigstore", "duckdb"})


def test_card(tmp_path, loaded):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text('{"name": "Some", "version": "1.0.0"}', encoding="utf-8")
    for words in (("show", tmp_path), ("show", tmp_path, "--format", "html"), ("diff", tmp_path, tmp_path)):
        modules = loaded(COMMAND, "card", *words)
        assert "jinja2" in modules  # it did its work
        assert not modules & LEARNING


def write_spec(folder: Path) -> Path:
    path = folder / "spec.yaml"
    path.write_text(f"{HEAD}forget: device == Old and volume < 9\n", encoding="utf-8")
    return path
