"""The code on the deployment page compiles, and the names that it imports from this package exist."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
from pathlib import Path

from monai_unlearn.release.report_content import ModelIdentity
from monai_unlearn.release.torchscript import read_export

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
EXPORT, APPLICATION = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def imported(code):
    """Return the names that code imports from this package, by module."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    return {
        node.module: [name.name for name in node.names] for node in nodes if node.module.startswith("monai_unlearn")
    }


def test_what_the_application_imports_exists():
    found = {**imported(EXPORT), **imported(APPLICATION)}
    modules = ("data.slices", "release.report_content", "release.sr", "release.torchscript")
    assert set(found) == {f"monai_unlearn.{name}" for name in modules}
    for module, names in found.items():
        assert not [name for name in names if not hasattr(importlib.import_module(module), name)]


def test_the_export_runs_as_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "bundles" / "mri_classifier", tmp_path / "revision" / "revised_bundle")
    exec(compile(EXPORT, "deploy.md", "exec"), {})  # noqa: S102 - the page's own example
    script = Path(capsys.readouterr().out.splitlines()[-1])
    assert read_export(script).metadata["name"] == "MRI classifier"
    # The application names these classes in its reports.
    assert ModelIdentity.of_export(script).class_names == ("glioma", "meningioma", "notumor", "pituitary")
