"""Every module is tested by the file of its name: `monai_unlearn/a/b.py` by `tests/a/test_b.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, TESTS = ROOT / "monai_unlearn", ROOT / "tests"

# Faces: they only import what others test.
FACES = {"__init__.py", "__main__.py"}
# Modules of constants alone, each with the reason why it has nothing to test.
CONSTANTS: dict[str, str] = {
    "vocabulary/parts.py": "two tuples of words, which the tests of the cohort and of the splits spell out",
}

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.name not in FACES)


@pytest.mark.parametrize("module", [path for path in MODULES if path.as_posix() not in CONSTANTS], ids=str)
def test_a_module_has_its_test(module):
    test = TESTS / module.with_name(f"test_{module.name}")
    assert test.is_file(), f"write {test.relative_to(ROOT)}"
    assert "\ndef test_" in test.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CONSTANTS)
def test_an_exception_is_a_module_of_constants(name):
    path = PACKAGE / name
    assert not any(word in path.read_text(encoding="utf-8") for word in ("def ", "class ", "lambda "))
    assert not (TESTS / Path(name).with_name(f"test_{path.name}")).exists(), "it has a test: no exception is needed"
