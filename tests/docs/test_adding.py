"""The table "Adding to it" of docs/architecture.md: each row is carried out on a copy of the package, and used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from additions import ADDITIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Adding to it")[2]
ROWS = {
    what: (file, registered)
    for what, file, registered in re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    if what not in ("what", "---")
}
PATHS = re.compile(r"`([\w/]+/(?:[\w.]+\.(?:py|yaml))?)`")


def test_every_row_is_carried_out():
    assert set(ROWS) == set(ADDITIONS)


@pytest.mark.parametrize("what", ADDITIONS)
def test_an_addition_takes_what_its_row_says(what):
    file, registered = (PATHS.findall(text) for text in ROWS[what])
    addition = ADDITIONS[what]
    assert len(addition.files) <= 1
    changed = {*addition.files, *addition.edits}
    assert all(any(path.startswith(place) for place in (*file, *registered)) for path in changed)
    assert all(any(path.startswith(place) for path in changed) for place in (*file, *registered))


@pytest.mark.parametrize("what", ADDITIONS)
def test_an_addition_works(what, tmp_path):
    addition = ADDITIONS[what]
    copy, work = tmp_path / "copy", tmp_path / "work"
    shutil.copytree(ROOT / "monai_unlearn", copy / "monai_unlearn", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in addition.files.items():
        place = copy / path if path.startswith("cohort_specs/") else copy / "monai_unlearn" / path
        assert not (ROOT / place.relative_to(copy)).exists()
        place.parent.mkdir(exist_ok=True)
        place.write_text(dedent(text), encoding="utf-8")
    for path, edits in addition.edits.items():
        place = copy / "monai_unlearn" / path
        code = place.read_text(encoding="utf-8")
        for old, new in edits:
            assert code.count(old) == 1, f"{path}: {old}"
            code = code.replace(old, new)
        place.write_text(code, encoding="utf-8")
    work.mkdir()
    # Coverage is that of the package here, not of a copy that will be gone.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    environment = {**kept, "PYTHONPATH": str(copy)}
    command = [sys.executable, "-W", "ignore", "-c", addition.code()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=work, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == addition.prints
