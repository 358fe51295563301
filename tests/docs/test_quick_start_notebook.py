"""The notebook of the documentation: its cells run one after the other, as in Jupyter, but in this process."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from monai.utils import misc
from nightly import nightly

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = json.loads((ROOT / "docs" / "quick_start.ipynb").read_text(encoding="utf-8"))
CELLS = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def command(line):
    """Do what `!command` does in Jupyter."""
    program, *words = shlex.split(line)
    assert program in {"monai-unlearn", "python"}
    words = words if program == "python" else ["-m", "monai_unlearn", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *words], env=environment, check=True, capture_output=True)


def shown(cell, names):
    """Run a cell, and return the value of its last line, which Jupyter shows."""
    joined = cell.replace("\\\n", " ").splitlines()
    lines = [f"command({line[1:]!r})" if line.startswith("!") else line for line in joined]
    tree = ast.parse("\n".join(lines))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - the page's own example
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


@pytest.fixture
def process(monkeypatch, tmp_path):
    """The state of this process that the training in a cell changes comes back afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(misc, "_seed", misc.get_seed())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundles").symlink_to(ROOT / "bundles")
    return SimpleNamespace(names={"command": command})


def test_outputs_are_stripped():
    for cell in NOTEBOOK["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@nightly
def test_the_cells_lead_to_a_card(process):
    values = [shown(cell, process.names) for cell in CELLS]
    _, _, cohort, _, result, verdict, accuracy, card = values
    assert "forget" in cohort._repr_html_()
    assert verdict[0] == result.verdict
    assert not result.accepted
    assert verdict[0] in result._repr_html_()
    assert {"original", "revised", "reference"} <= {str(name).partition("-")[0] for name in accuracy.columns}
    assert "<iframe" in card._repr_html_()
