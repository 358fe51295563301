"""Every module is tested by the file of its name: `monai_unlearn/a/b.py` by `tests/a/test_b.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, TESTS = ROOT / "monai_unlearn", ROOT / "tests"

# They only import from modules that have their tests.
FACES = {"__init__.py", "__main__.py"}

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.name not in FACES)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_has_its_test(module):
    test = TESTS / module.with_name(f"test_{module.name}")
    assert test.is_file(), f"write {test.relative_to(ROOT)}"
    assert "\ndef test_" in test.read_text(encoding="utf-8")
