from __future__ import annotations

import sys

from script import ROOT, load_script

sys.path.append(str(ROOT / "docs"))  # the writers share a module
MODULE = load_script("docs/write_spec_language.py")


def test_the_document_says_what_the_tests_check():
    found = MODULE.TARGET.read_text(encoding="utf-8")
    assert found == MODULE.document(), "run: python docs/write_spec_language.py"


def test_every_table_of_the_tests_is_in_it():
    chapters = {f"test_{name}" for name in MODULE.CHAPTERS}
    assert chapters == {path.stem for path in (ROOT / "tests" / "spec").glob("test_*.py")}
