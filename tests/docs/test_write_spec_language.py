from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _module():
    path = ROOT / "docs" / "write_spec_language.py"
    spec = importlib.util.spec_from_file_location("write_spec_language", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_says_what_the_tests_check():
    module = _module()
    found = module.TARGET.read_text(encoding="utf-8")
    assert found == module.document(), "run: python docs/write_spec_language.py"


def test_every_table_of_the_tests_is_in_it():
    chapters = {f"test_{name}" for name in _module().CHAPTERS}
    assert chapters == {path.stem for path in (ROOT / "tests" / "spec").glob("test_*.py")}
